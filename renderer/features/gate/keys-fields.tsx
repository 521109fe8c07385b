import { PasswordInput, Radio, Stack } from '@mantine/core';
import type { ReactNode } from 'react';

export interface KeysChoice {
  readonly kind: 'keychain' | 'passphrase';
  readonly passphrase: string;
  readonly again: string;
}

export const NO_KEYS_CHOICE: KeysChoice = { kind: 'keychain', passphrase: '', again: '' };

/** Why the choice cannot be used yet; null when it can. */
export function keysProblem(keys: KeysChoice): string | null {
  if (keys.kind === 'keychain') return null;
  if (keys.passphrase === '') return 'Give the vault a passphrase.';
  return keys.passphrase === keys.again ? null : 'The two vault passphrases differ.';
}

export function keysInput(
  keys: KeysChoice,
): { kind: 'keychain' } | { kind: 'passphrase'; passphrase: string } {
  return keys.kind === 'keychain'
    ? { kind: 'keychain' }
    : { kind: 'passphrase', passphrase: keys.passphrase };
}

/** Where the vault's keys are kept: the system's keychain, or wrapped under a passphrase. */
export function KeysFields({
  value,
  onChange,
}: {
  readonly value: KeysChoice;
  readonly onChange: (value: KeysChoice) => void;
}): ReactNode {
  return (
    <Stack gap="xs">
      <Radio.Group
        label="Keep the vault's keys"
        value={value.kind}
        onChange={(kind) => onChange({ ...value, kind: kind === 'passphrase' ? 'passphrase' : 'keychain' })}
      >
        <Stack gap={8} mt={4}>
          <Radio
            size="xs"
            value="keychain"
            label="in this computer's keychain"
            description="Unlocks with your session; the audit log gets a local witness."
          />
          <Radio
            size="xs"
            value="passphrase"
            label="under a passphrase"
            description="For machines without a keychain. You give it at every start."
          />
        </Stack>
      </Radio.Group>
      {value.kind === 'passphrase' ? (
        <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 12 }}>
          <PasswordInput
            label="Vault passphrase"
            value={value.passphrase}
            onChange={(event) => onChange({ ...value, passphrase: event.currentTarget.value })}
            autoComplete="new-password"
          />
          <PasswordInput
            label="Again"
            value={value.again}
            onChange={(event) => onChange({ ...value, again: event.currentTarget.value })}
            autoComplete="new-password"
          />
        </div>
      ) : null}
    </Stack>
  );
}

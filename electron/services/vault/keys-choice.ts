import { SallyportError } from '../../../shared/domain/errors.ts';
import { MIN_PASSPHRASE } from '../operators/make-operator.ts';

/** Where a vault's keys are to be kept. */
export type KeysChoice =
  | { readonly kind: 'keychain' }
  | { readonly kind: 'passphrase'; readonly passphrase: string };

/** A vault's own passphrase is as long as an operator's at least. */
export function checkVaultPassphrase(keys: KeysChoice): void {
  if (keys.kind === 'passphrase' && [...keys.passphrase].length < MIN_PASSPHRASE) {
    throw new SallyportError(
      'input.invalid',
      `A vault's passphrase has at least ${MIN_PASSPHRASE} characters.`,
      {
        hint: 'Nothing was created or changed.',
        facts: { minimum: MIN_PASSPHRASE },
      },
    );
  }
}

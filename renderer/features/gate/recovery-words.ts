/** How a recovery key is confirmed, and what is told of a vault that does not open. */
import type { ErrorCode } from '../../../shared/domain/errors.ts';
import { normalizeRecoveryKey, recoveryKeyGroups } from '../../../shared/domain/vault/recovery-kit.ts';

/** Whether this is what stands at the end of the key: proof that somebody has it before their eyes. */
export function isLastGroup(key: string, typed: string): boolean {
  return normalizeRecoveryKey(typed) === recoveryKeyGroups(key).at(-1);
}

export type WayBack = 'recover' | 'retry';

export interface Opening {
  readonly title: string;
  /** What it means and what is safe. */
  readonly text: string;
  /** What leads on, the likeliest first. */
  readonly ways: readonly WayBack[];
}

/** A vault that does not open, by the code of the refusal: each state with its way back. */
const OPENINGS: Readonly<Partial<Record<ErrorCode, Opening>>> = {
  'keychain.missing': {
    title: 'The keys are not in this keychain',
    text: 'The vault itself is whole. Its keys were never kept on this computer, or its keychain was wiped. The recovery key puts them back; no new key is ever made over an existing vault.',
    ways: ['recover', 'retry'],
  },
  'keychain.locked': {
    title: 'The keychain is locked',
    text: 'Unlock it in your session’s own password manager, then try again. Nothing is wrong with the vault.',
    ways: ['retry', 'recover'],
  },
  'keychain.cancelled': {
    title: 'The keychain was not unlocked',
    text: 'Its question was dismissed. Try again and answer it, or open the vault with the recovery key.',
    ways: ['retry', 'recover'],
  },
  'keychain.changed': {
    title: 'The keychain holds other keys',
    text: 'What it keeps under this vault’s name does not open this vault. Log in to the session whose keychain it was, or use this vault’s recovery key.',
    ways: ['recover', 'retry'],
  },
  'vault.newer': {
    title: 'This vault is of a newer Sallyport',
    text: 'Nothing was changed and nothing is lost. Install the newer program and open the vault with it; this one would not know what it reads.',
    ways: ['retry'],
  },
  'integrity.vault': {
    title: 'The vault’s files do not fit together',
    text: 'It stays closed rather than trust them, and nothing was changed. Keep this folder as evidence, start Sallyport with an empty folder, and restore a backup there.',
    ways: ['retry', 'recover'],
  },
  'disk.read-only': {
    title: 'The vault’s folder cannot be written',
    text: 'Give the folder back its write permission, or mount it writable, then try again. Nothing was changed.',
    ways: ['retry'],
  },
  'disk.full': {
    title: 'The disk is full',
    text: 'Free some space on the disk of the vault’s folder, then try again. Nothing was changed.',
    ways: ['retry'],
  },
};

/** What is told of a refusal to open; null where the refusal is about what was typed. */
export function openingOf(code: ErrorCode): Opening | null {
  return OPENINGS[code] ?? null;
}

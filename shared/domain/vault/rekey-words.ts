/** What a rekey is said to do: one text for the window and the command line, and never more than was done. */

export interface RekeyFacts {
  /** Stored files that have the new keys. */
  readonly artifacts: number;
  readonly full: boolean;
  /** Stored files that were damaged before. */
  readonly damaged?: number;
}

/** Before: what a person chooses between. */
export const REKEY_CHOICES = {
  plain:
    'A new database key and a new key pair; every stored file gets a new header. File keys of artifacts are unchanged: whoever had the old keys and an old copy of a file can still read that copy.',
  full: 'The same, and every stored file is encrypted again under a fresh file key. It takes as long as reading and writing them all.',
  always:
    'Copies and backups made before open with the keys of their time. What somebody has read already stays known to them.',
} as const;

/** Afterwards: one sentence for each thing that was done, and for what was not. */
export function rekeySummary({ artifacts, full, damaged = 0 }: RekeyFacts): string[] {
  const files = `${artifacts} stored ${artifacts === 1 ? 'file' : 'files'}`;
  return [
    'The database is under a new key, and the vault has a new key pair.',
    full
      ? `${files} encrypted again, each under a fresh file key.`
      : `${files} with a new header; the file keys of artifacts are unchanged: whoever had the old keys and an old copy of a file can still read that copy. --full encrypts every file again.`,
    ...(damaged > 0
      ? [
          `${damaged} stored ${damaged === 1 ? 'file was' : 'files were'} damaged before and left out; see: sallyport model verify`,
        ]
      : []),
    'Copies and backups made before open with the keys of their time: make a new backup.',
  ];
}

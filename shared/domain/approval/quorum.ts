/** Who counts: one rule for the console and for the serving agent, each with the keys it trusts. */

export interface CountedSignature {
  readonly person: string;
  readonly keyFingerprint: string;
}

export interface QuorumResult {
  readonly met: boolean;
  readonly counted: readonly CountedSignature[];
  readonly needed: number;
  /** Signatures that do not count, and why. */
  readonly ignored: readonly { readonly signature: CountedSignature; readonly reason: string }[];
}

/**
 * A person's name in the one spelling that is compared: without case, without what nobody sees (zero-width spaces,
 * soft hyphens, direction marks), and with single blanks. "Ada  Byron" and "ada byron" are one.
 */
export function personKey(person: string): string {
  const seen = person.normalize('NFKC').replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, '');
  // Upper case first: it is what makes "ß" and "ss" one.
  return seen.toUpperCase().toLowerCase().normalize('NFKC').trim().replace(/\s+/gu, ' ');
}

export function samePerson(a: string, b: string): boolean {
  return personKey(a) === personKey(b);
}

/**
 * Quorum = distinct people with distinct keys; the submitter's person and the submitter's key never count.
 * The signatures handed in are already verified over this very release.
 */
export function evaluateQuorum(
  signatures: readonly CountedSignature[],
  submitter: { readonly person: string; readonly keyFingerprint: string },
  needed: number,
): QuorumResult {
  const counted: CountedSignature[] = [];
  const ignored: { signature: CountedSignature; reason: string }[] = [];
  for (const signature of signatures) {
    const reason = samePerson(signature.person, submitter.person)
      ? 'the submitter does not approve their own request'
      : signature.keyFingerprint === submitter.keyFingerprint
        ? 'signed with the submitter’s key'
        : counted.some((c) => samePerson(c.person, signature.person))
          ? 'this person has signed already'
          : counted.some((c) => c.keyFingerprint === signature.keyFingerprint)
            ? 'this key has signed already'
            : null;
    if (reason === null) counted.push(signature);
    else ignored.push({ signature, reason });
  }
  return { met: counted.length >= Math.max(1, needed), counted, needed: Math.max(1, needed), ignored };
}

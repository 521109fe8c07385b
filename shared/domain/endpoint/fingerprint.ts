import type { HashText } from '../traffic/route.ts';
import type { AgentIdentity } from './endpoint.ts';

/** What a person compares at first contact: SHA-256 hex over the agent's signing key and age recipient. */
export function computeFingerprint(
  identity: Pick<AgentIdentity, 'signingKeyPem' | 'ageRecipient'>,
  sha256: HashText,
): string {
  return toHex(sha256(`${identity.signingKeyPem}\n${identity.ageRecipient}`));
}

/** A fingerprint as a person typed it (spaces, colons, capitals), as 64 hex digits; null for anything else. */
export function parseFingerprint(typed: string): string | null {
  const plain = typed
    .replace(/^sha-?256:/i, '')
    .replace(/[\s:-]/g, '')
    .toLowerCase();
  return /^[0-9a-f]{64}$/.test(plain) ? plain : null;
}

/** `3f2a 91c0 …` in groups of four, the way it is printed and read aloud. */
export function formatFingerprint(fingerprint: string): string {
  return fingerprint.match(/.{1,4}/g)?.join(' ') ?? fingerprint;
}

/**
 * Text an agent signs to prove that it holds the pinned key, before anybody sends it a token. The fixed first line
 * keeps the signature from meaning anything elsewhere.
 */
export function possessionText(nonce: string, environmentId: string, fingerprint: string): string {
  return `sallyport-agent-identity-v1\n${nonce}\n${environmentId}\n${fingerprint}\n`;
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

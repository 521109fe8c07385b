/** Bearer tokens: 256 random bits, kept as SHA-256, with scopes and an end. */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { SallyportError } from '../shared/domain/errors.ts';
import { systemCode, writeFileAtomic } from '../shared/node/files/files.ts';
import { waitForExclusiveLock } from '../shared/node/sqlite/exclusive-lock.ts';

export const scopeSchema = z.enum(['predict', 'read', 'deploy']);
export type Scope = z.infer<typeof scopeSchema>;

const tokenSchema = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,59}$/, {
    error: 'A token name is lower-case letters, digits, dots, underscores and hyphens.',
  }),
  /** SHA-256 hex of the token's text. */
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  scopes: z.array(scopeSchema).min(1),
  createdAt: z.string(),
  expiresAt: z.string(),
});
export type TokenRecord = z.infer<typeof tokenSchema>;
const fileSchema = z.object({ version: z.literal(1), tokens: z.array(tokenSchema) });

/** Asked when one is made, not when the file is read: one token too many must not take all the others away. */
const MAX_TOKENS = 1000;

/** Why a token does not open a door: said to the caller without telling a wrong token from an ended one. */
export type TokenVerdict =
  | { readonly kind: 'accepted'; readonly name: string }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'scope'; readonly name: string };

/** Whether somebody with the scopes `held` may go where one of `needed` is asked for. */
export function verdictOf(name: string, held: readonly Scope[], needed: readonly Scope[]): TokenVerdict {
  // Deploying includes reading: a console needs one token, not two.
  const all = held.includes('deploy') ? [...held, 'read'] : held;
  return { kind: needed.some((scope) => all.includes(scope)) ? 'accepted' : 'scope', name };
}

const PREFIX = 'sat_';

function hashOf(token: string): string {
  return hash('sha256', token);
}

/** 64 bits: two tokens do not share them. */
function beginningOf(tokenHash: string): string {
  return tokenHash.slice(0, 16);
}

/** A record with what each check needs of it. */
interface KnownToken {
  readonly record: TokenRecord;
  readonly hash: Buffer;
  /** Milliseconds since 1970; NaN where the record says no time: then it has ended. */
  readonly endsAt: number;
}

function knownToken(record: TokenRecord): KnownToken {
  return { record, hash: Buffer.from(record.hash), endsAt: Date.parse(record.expiresAt) };
}

/** How long what was read counts as seen just now, in milliseconds: requests that come together share one look. */
const FRESH_MS = 2;

/**
 * The token file, read again whenever it changed: `agent token revoke` works on a running agent within 2 ms. Records are
 * found under the beginning of a token's hash, and the whole is compared in constant time: how long that takes could tell
 * of the beginning alone, and no part of a hash tells of the 256 random bits behind it.
 */
export class TokenFile {
  readonly #path: string;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #seen = '';
  #byBeginning = new Map<string, KnownToken>();

  constructor(path: string) {
    this.#path = path;
  }

  check(header: string | undefined, scopes: readonly Scope[], now: Date): TokenVerdict {
    const match = /^Bearer ([A-Za-z0-9_-]{20,200})$/i.exec(header ?? '');
    if (!match?.[1]) return { kind: 'unknown' };
    if (performance.now() - this.#lookedAt > FRESH_MS) this.#refresh();
    const found = hashOf(match[1]);
    const known = this.#byBeginning.get(beginningOf(found));
    if (!known || !timingSafeEqual(known.hash, Buffer.from(found))) return { kind: 'unknown' };
    if (!(now.getTime() < known.endsAt)) return { kind: 'unknown' };
    return verdictOf(known.record.name, known.record.scopes, scopes);
  }

  /** As the file has them now; `input.invalid` where it cannot be read. */
  list(): TokenRecord[] {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw this.#unreadable('cannot be read', error);
    }
    try {
      return fileSchema.parse(JSON.parse(text)).tokens;
    } catch (cause) {
      throw this.#unreadable('is not a list of tokens', cause);
    }
  }

  /** The token's text; it is shown once and kept nowhere. `conflict`, `usage`, `input.invalid`. */
  async add(
    name: string,
    scopes: readonly Scope[],
    days: number,
    now: Date,
  ): Promise<{ token: string; record: TokenRecord }> {
    const token = PREFIX + randomBytes(32).toString('base64url');
    const parsed = tokenSchema.safeParse({
      name,
      hash: hashOf(token),
      scopes: [...new Set(scopes)],
      createdAt: now.toISOString(),
      expiresAt: new Date(now.getTime() + days * 86_400_000).toISOString(),
    });
    if (!parsed.success) {
      throw new SallyportError('usage', parsed.error.issues[0]?.message ?? 'This is not a token.', {
        hint: 'No token was made.',
      });
    }
    await this.#change((tokens) => {
      if (tokens.some((each) => each.name === name)) {
        throw new SallyportError('conflict', `There is a token named ${name} already.`, {
          hint: 'Revoke it first, or choose another name.',
        });
      }
      if (tokens.length >= MAX_TOKENS) {
        throw new SallyportError(
          'conflict',
          `There are ${tokens.length} tokens; an agent has ${MAX_TOKENS} at most.`,
          {
            hint: 'No token was made. Revoke those that have ended or are not used.',
          },
        );
      }
      return [...tokens, parsed.data];
    });
    return { token, record: parsed.data };
  }

  /** `not-found`, `input.invalid`. */
  async revoke(name: string): Promise<void> {
    await this.#change((tokens) => {
      const kept = tokens.filter((each) => each.name !== name);
      if (kept.length < tokens.length) return kept;
      throw new SallyportError('not-found', `There is no token named ${name}.`, {
        hint: 'See `sallyport agent token list`.',
      });
    });
  }

  /** One process after the other: each begins with what the one before it wrote. */
  async #change(edit: (tokens: readonly TokenRecord[]) => readonly TokenRecord[]): Promise<void> {
    const release = await waitForExclusiveLock(join(dirname(this.#path), 'tokens.lock'));
    if (release === null) {
      throw new SallyportError('conflict', `Another process is writing ${this.#path}.`, {
        hint: 'Nothing was changed. Try again when it is done.',
      });
    }
    try {
      const tokens = edit(this.list());
      await writeFileAtomic(this.#path, `${JSON.stringify({ version: 1, tokens }, null, 2)}\n`);
    } finally {
      release();
    }
    // What it wrote itself it sees at once.
    this.#lookedAt = Number.NEGATIVE_INFINITY;
  }

  #unreadable(why: string, cause: unknown): SallyportError {
    return new SallyportError('input.invalid', `${this.#path} ${why}.`, {
      hint: 'Nothing was changed, and a running agent keeps the list it read last. Mend the file, or restore it.',
      cause,
    });
  }

  /** Keeps the last good list while the file cannot be read; an agent that never read one accepts no token. */
  #refresh(): void {
    this.#lookedAt = performance.now();
    try {
      const { mtimeNs, ino, size } = statSync(this.#path, { bigint: true });
      const seen = `${mtimeNs}/${ino}/${size}`;
      if (seen === this.#seen) return;
      const file = fileSchema.parse(JSON.parse(readFileSync(this.#path, 'utf8')));
      this.#byBeginning = new Map(
        file.tokens.map((record) => [beginningOf(record.hash), knownToken(record)]),
      );
      this.#seen = seen;
    } catch (error) {
      // A missing file means that somebody took all tokens away; a broken one changes nothing.
      if (systemCode(error) !== 'ENOENT') return;
      this.#byBeginning = new Map();
      this.#seen = '';
    }
  }
}

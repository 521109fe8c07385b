/** JSON Web Tokens beside bearer tokens of our own: signed by a key of a local JWKS file; nothing is fetched. */
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createLocalJWKSet, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import { SallyportError } from '../../shared/domain/errors.ts';
import { systemCode } from '../../shared/node/files/files.ts';
import { type Scope, scopeSchema, type TokenVerdict, verdictOf } from '../tokens.ts';

export const jwtSchema = z.strictObject({
  /** JSON Web Key Set (RFC 7517) with public keys. */
  jwks: z.string().min(1),
  issuer: z.string().min(1).max(500),
  audience: z.string().min(1).max(500),
  /** Asymmetric ones only: with a shared secret, whoever checks tokens can make them. */
  algorithms: z
    .array(z.enum(['ES256', 'EdDSA', 'RS256']))
    .min(1)
    .default(['ES256', 'EdDSA', 'RS256']),
  /** Claim with the scopes: words in a text, or a list. */
  scopeClaim: z.string().min(1).max(200).default('scope'),
  /** What a word of the claim opens here. */
  scopes: z
    .record(z.string().min(1).max(200), scopeSchema)
    .default({ predict: 'predict', read: 'read', deploy: 'deploy' }),
  /** How far the issuer's clock may be off, in seconds. */
  clockToleranceSeconds: z.number().min(0).max(600).default(30),
});
export type JwtConfig = z.infer<typeof jwtSchema>;

const publicKeySchema = z
  .looseObject({ kty: z.enum(['RSA', 'EC', 'OKP'], { error: 'Only public keys (RSA, EC, OKP) are taken.' }) })
  .refine((key) => !('d' in key), { error: 'There is a private key in this file.' });
const jwksSchema = z.object({ keys: z.array(publicKeySchema).min(1).max(100) });

/** Three parts; a token of ours has no dots in it. */
const FORM = /^Bearer ([A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+)$/i;
/** Subjects go to the log and to rate limits. */
const SUBJECT = /^[\x21-\x7e]{1,200}$/;
const MAX_REMEMBERED = 1000;

interface Verified {
  readonly name: string;
  readonly scopes: readonly Scope[];
  /** Milliseconds. */
  readonly notBefore: number;
  readonly expiresAt: number;
}

export class JwtGate {
  readonly #config: JwtConfig;
  #seen = '';
  #keys: JWTVerifyGetKey | null = null;
  /** By hash: a signature is checked once, its times with every request. Forgotten when the keys change. */
  #verified = new Map<string, Verified>();

  /** `input.invalid` when the file cannot be used; later a broken one changes nothing, a missing one takes all keys away. */
  constructor(config: JwtConfig) {
    this.#config = config;
    try {
      this.#load(stampOf(config.jwks));
    } catch (cause) {
      const why = cause instanceof z.ZodError ? ` ${cause.issues[0]?.message ?? ''}` : '';
      const unread = /^E[A-Z0-9]+$/.test(systemCode(cause));
      throw new SallyportError(
        'input.invalid',
        `${config.jwks} ${unread ? 'cannot be read.' : `is not a set of public keys.${why}`}`,
        {
          hint: 'Nothing was started. It is a JSON Web Key Set: {"keys": […]}.',
          cause,
        },
      );
    }
  }

  /**
   * Null when the header is not a JWT at all; a function where its signature has still to be checked, which costs far
   * more than all else here: whoever calls it has seen to it that it may.
   */
  check(
    header: string | undefined,
    scopes: readonly Scope[],
    now: Date,
  ): TokenVerdict | (() => Promise<TokenVerdict>) | null {
    const token = FORM.exec(header ?? '')?.[1];
    if (token === undefined) return null;
    this.#refresh();
    const hash = createHash('sha256').update(token).digest('base64');
    const known = this.#verified.get(hash);
    if (known) {
      // The longest unused is forgotten first.
      this.#verified.delete(hash);
      this.#verified.set(hash, known);
      return this.#judge(known, scopes, now);
    }
    return async () => {
      const fresh = await this.#verify(token, now);
      if (!fresh) return { kind: 'unknown' };
      const [oldest] = this.#verified.keys();
      if (this.#verified.size >= MAX_REMEMBERED && oldest !== undefined) this.#verified.delete(oldest);
      this.#verified.set(hash, fresh);
      return this.#judge(fresh, scopes, now);
    };
  }

  #judge(known: Verified, scopes: readonly Scope[], now: Date): TokenVerdict {
    const time = now.getTime();
    const tolerance = this.#config.clockToleranceSeconds * 1000;
    if (time + tolerance < known.notBefore || time - tolerance >= known.expiresAt) return { kind: 'unknown' };
    return verdictOf(known.name, known.scopes, scopes);
  }

  async #verify(token: string, now: Date): Promise<Verified | null> {
    const { issuer, audience, algorithms, clockToleranceSeconds } = this.#config;
    const keys = this.#keys;
    if (!keys) return null;
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience,
        algorithms: [...algorithms],
        clockTolerance: clockToleranceSeconds,
        currentDate: now,
        requiredClaims: ['exp', 'sub'],
      });
      // The keys may have changed meanwhile: then it is checked again with the next request.
      return keys === this.#keys ? this.#read(payload) : null;
    } catch {
      // Which of its claims was wrong is nothing a stranger is told.
      return null;
    }
  }

  #read({ sub, exp, nbf, ...claims }: JWTPayload): Verified | null {
    if (sub === undefined || !SUBJECT.test(sub) || exp === undefined) return null;
    const claim = claims[this.#config.scopeClaim];
    const words: readonly unknown[] = Array.isArray(claim) ? claim : String(claim ?? '').split(' ');
    const scopes = words.flatMap((word) => {
      const scope =
        typeof word === 'string' && Object.hasOwn(this.#config.scopes, word) && this.#config.scopes[word];
      return scope ? [scope] : [];
    });
    return { name: `jwt:${sub}`, scopes, notBefore: (nbf ?? 0) * 1000, expiresAt: exp * 1000 };
  }

  #refresh(): void {
    try {
      const stamp = stampOf(this.#config.jwks);
      if (stamp === this.#seen) return;
      this.#load(stamp);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) return;
      this.#keys = null;
      this.#seen = '';
      this.#verified.clear();
    }
  }

  #load(stamp: string): void {
    const set = jwksSchema.parse(JSON.parse(readFileSync(this.#config.jwks, 'utf8')));
    this.#keys = createLocalJWKSet(set);
    this.#verified.clear();
    this.#seen = stamp;
  }
}

function stampOf(path: string): string {
  const { mtimeNs, ino, size } = statSync(path, { bigint: true });
  return `${mtimeNs}/${ino}/${size}`;
}

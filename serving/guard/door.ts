/** The door of a listener: judges a request by its headers alone, and keeps count of who is inside. */
import type { IncomingMessage } from 'node:http';
import type { Scope, TokenFile, TokenVerdict } from '../tokens.ts';
import { type AddressOptions, callerAddress } from './addresses.ts';
import type { JwtGate } from './jwt.ts';
import type { AgentLimits } from './limits.ts';
import { RateLimiter, type Taken } from './rate-limit.ts';
import { type Refusal, refusal } from './refusal.ts';
import { shapeProblem } from './shape.ts';
import type { ListenerTls } from './tls.ts';

/** Somebody who was let in. */
export interface Caller {
  /** Name of the token; null where none was needed. */
  readonly name: string | null;
  readonly address: string;
  /** For the answer: what is left of the caller's rate. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface DoorOptions extends AddressOptions {
  readonly limits: AgentLimits;
  readonly tokens: TokenFile;
  /** null = only tokens of the agent's own. */
  readonly jwt: JwtGate | null;
  readonly now: () => Date;
  /** null = plain HTTP. */
  readonly tls: ListenerTls | null;
}

/** Tokens that are remembered with nobody inside, at least. */
const IDLE_NAMES = 1000;

const NO_TOKEN = refusal('token', 401, 'A valid bearer token is needed.', { 'www-authenticate': 'Bearer' });

const ANY_SCOPE: readonly Scope[] = ['predict', 'read', 'deploy'];

/** Rates are kept by the agent, not by a listener: one token has one allowance. */
export class Rates {
  readonly requests: RateLimiter | null;
  readonly rows: RateLimiter | null;
  /** Per address: calls that need no token, and, in a bucket of their own, calls without a valid one. */
  readonly open: RateLimiter | null;
  readonly refused: RateLimiter | null;

  constructor({ burstSeconds, ...limits }: AgentLimits) {
    const limiter = (perSecond: number): RateLimiter | null =>
      perSecond > 0 ? new RateLimiter({ perSecond, burstSeconds }) : null;
    this.requests = limiter(limits.requestsPerSecond);
    this.rows = limiter(limits.rowsPerSecond);
    this.open = limiter(limits.addressRequestsPerSecond);
    this.refused = limiter(limits.addressRequestsPerSecond);
  }
}

export class Door {
  readonly #options: DoorOptions;
  readonly #rates: Rates;
  /**
   * Requests under way, by token; at 0 a token stays. Were it taken out with each request, the map would make itself a new
   * table each time, and the old one, which holds the new one, is found by a full garbage collection only.
   */
  readonly #inside = new Map<string, number>();
  #mostNames = IDLE_NAMES;
  #total = 0;

  constructor(options: DoorOptions, rates: Rates) {
    this.#options = options;
    this.#rates = rates;
  }

  /** `scopes` as the route declares them: `null` = open, undefined = there is no such route. */
  enter(
    request: IncomingMessage,
    scopes: readonly Scope[] | null | undefined,
  ): Caller | Refusal | Promise<Caller | Refusal> {
    const { limits, tls } = this.#options;
    const { allow, trustedProxies } = this.#options;
    const address = callerAddress(request, trustedProxies);
    if (address === null) return refusal('address', 400, 'X-Forwarded-For does not say who asks.');
    if (allow && !allow.has(address)) return refusal('address', 403, 'This address is not let in.');
    const problem = tls?.clientProblem(request.socket) ?? shapeProblem(request, limits);
    if (problem) return problem;
    if (this.#total >= limits.requests)
      return refusal('busy', 503, 'Too many requests at once; try again in a moment.', {
        'retry-after': '1',
      });
    if (scopes === null) return this.#letIn(this.#open(address));
    // A path that does not exist looks like any other to somebody without a token.
    const needed = scopes ?? ANY_SCOPE;
    const { tokens, jwt, now } = this.#options;
    const header = request.headers.authorization;
    const verdict = jwt?.check(header, needed, now()) ?? tokens.check(header, needed, now());
    return typeof verdict === 'function'
      ? this.#verified(verdict, address, needed)
      : this.#letIn(this.#known(verdict, address, needed));
  }

  /**
   * Paid for before the signature is checked, as by somebody without a valid token, and given back to who has one: else
   * anybody could have signatures checked without end. Meanwhile it counts as inside.
   */
  async #verified(
    check: () => Promise<TokenVerdict>,
    address: string,
    scopes: readonly Scope[],
  ): Promise<Caller | Refusal> {
    const dear = this.#charge(address);
    if (dear) return dear;
    this.#total++;
    let verdict: TokenVerdict;
    try {
      verdict = await check();
    } finally {
      this.#total--;
    }
    if (verdict.kind === 'unknown') return NO_TOKEN;
    this.#rates.refused?.giveBack(address, 1);
    return this.#letIn(this.#known(verdict, address, scopes));
  }

  #letIn(judged: Caller | Refusal): Caller | Refusal {
    const { limits } = this.#options;
    if ('status' in judged) return judged;
    const { name } = judged;
    if (name !== null) {
      const inside = this.#inside.get(name) ?? 0;
      if (inside >= limits.requestsPerToken)
        return refusal('busy', 429, 'Too many requests of this token at once.', { 'retry-after': '1' });
      if (this.#inside.size >= this.#mostNames) this.#forgetIdle();
      this.#inside.set(name, inside + 1);
    }
    this.#total++;
    return judged;
  }

  /** When the request that `enter` let in is over, however it ended. */
  leave({ name }: Caller): void {
    this.#total--;
    if (name !== null) this.#inside.set(name, (this.#inside.get(name) ?? 1) - 1);
  }

  /** Names in JWTs are as many as their issuer likes. */
  #forgetIdle(): void {
    for (const [name, inside] of this.#inside) if (inside === 0) this.#inside.delete(name);
    this.#mostNames = Math.max(IDLE_NAMES, 2 * this.#inside.size);
  }

  /** Once the rows of a call are counted; null = go on. */
  takeRows({ name }: Caller, rows: number): Refusal | null {
    const limiter = this.#rates.rows;
    if (!limiter || name === null) return null;
    const taken = limiter.take(name, rows, this.#time());
    return taken.kind === 'empty' ? tooMany('rows', limiter, taken) : null;
  }

  #open(address: string): Caller | Refusal {
    const limiter = this.#rates.open;
    const taken = limiter?.take(address, 1, this.#time());
    if (limiter && taken?.kind === 'empty') return tooMany('requests', limiter, taken);
    return { name: null, address, headers: {} };
  }

  /** One call without a valid token; null = it may be answered so. */
  #charge(address: string): Refusal | null {
    const limiter = this.#rates.refused;
    const taken = limiter?.take(address, 1, this.#time());
    return limiter && taken?.kind === 'empty' ? tooMany('requests', limiter, taken) : null;
  }

  #known(verdict: TokenVerdict, address: string, scopes: readonly Scope[]): Caller | Refusal {
    if (verdict.kind === 'unknown') return this.#charge(address) ?? NO_TOKEN;
    const limiter = this.#rates.requests;
    const taken = limiter?.take(verdict.name, 1, this.#time());
    if (limiter && taken?.kind === 'empty') return tooMany('requests', limiter, taken);
    if (verdict.kind === 'scope')
      return refusal('scope', 403, `This token does not have the scope ${scopes.join(' or ')}.`);
    const headers = limiter && taken ? limiter.headers('requests', taken) : {};
    return { name: verdict.name, address, headers };
  }

  /** Milliseconds; a clock that is set back lets nobody in sooner. */
  #time(): number {
    return this.#options.now().getTime();
  }
}

function tooMany(what: 'requests' | 'rows', limiter: RateLimiter, taken: Taken): Refusal {
  const wait = taken.kind === 'empty' ? taken.waitSeconds : 1;
  return refusal('rate', 429, `Too many ${what}; try again in ${wait} s.`, {
    'retry-after': String(wait),
    ...limiter.headers(what, taken),
  });
}

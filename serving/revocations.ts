/** Revocations: verified, judged, made durable, and obeyed before they are answered. */
import { createHash } from 'node:crypto';
import {
  type HeldRevocation,
  judgeRevocation,
  REVOCATION_FILE,
  type Revocation,
  revocationSchema,
  revokedText,
} from '../shared/domain/endpoint/revocation.ts';
import { type ModelRouting, withoutReleases } from '../shared/domain/endpoint/routing.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import { bundleKeyHint, type VerifiedBundle, verifyBundle } from '../shared/node/model-signing/index.ts';
import { Mutex } from './mutex.ts';
import type { StateFile } from './state.ts';
import type { Trust } from './trust.ts';

const HINT = 'Nothing was revoked; what is served did not change.';

export interface RevocationsOptions {
  readonly trust: Trust;
  readonly state: StateFile;
  /** Takes what is revoked out of traffic and memory. */
  readonly withdraw: () => Promise<void>;
  readonly now: () => Date;
}

export class Revocations {
  readonly #options: RevocationsOptions;
  readonly #mutex = new Mutex();

  constructor(options: RevocationsOptions) {
    this.#options = options;
  }

  /** Oldest first. */
  get held(): readonly HeldRevocation[] {
    return this.#options.state.current.revocations;
  }

  /**
   * Resolves once it is on the disk and nothing of the model is loaded or routed to. The same one again is obeyed again,
   * which changes nothing. `integrity.signature`, `refused.*`, `input.invalid`.
   */
  accept(text: string, bundle: string): Promise<Revocation> {
    return this.#mutex.run('revocations', async () => {
      const { trust, state, withdraw, now } = this.#options;
      const { keyFingerprint, root, resources } = this.#verify(bundle);
      const [file, ...more] = resources;
      const digest = createHash('sha256').update(text, 'utf8').digest('hex');
      if (file?.name !== REVOCATION_FILE || more.length > 0 || file.digest !== digest) {
        throw new SallyportError('integrity.signature', 'The signature is not over this revocation.', {
          hint: HINT,
        });
      }
      const revocation = parse(text);
      const verdict = judgeRevocation({ revocation, root, keyFingerprint, trust, held: this.held });
      if (verdict.kind === 'refused') {
        const { name, version } = revocation;
        throw new SallyportError(
          verdict.code,
          `The revocation of ${name}@${version} was refused: ${verdict.reason}`,
          { hint: HINT },
        );
      }
      if (verdict.kind === 'new') {
        const { environmentId: _, createdAt: __, ...facts } = revocation;
        const held = { ...facts, root, by: verdict.by, at: now().toISOString() };
        await state.update((before) => ({
          ...before,
          version: 2,
          revocations: [...before.revocations, held],
        }));
      }
      // Also for a repeated one: the first run may have been cut off after its record.
      await withdraw();
      return revocation;
    });
  }

  #verify(bundle: string): VerifiedBundle {
    const pem = this.#options.trust.keys.get(bundleKeyHint(bundle));
    if (pem !== undefined) return verifyBundle(bundle, pem);
    throw new SallyportError(
      'refused.role',
      'The revocation is not signed by a key that this agent trusts.',
      {
        hint: HINT,
      },
    );
  }
}

/** `refused.state` for a model that was revoked. */
export function requireNotRevoked(
  state: StateFile,
  { version, digest }: { readonly version: string; readonly digest: string },
): void {
  const held = state.revocationOf(digest);
  if (!held) return;
  throw new SallyportError('refused.state', `${version} is not served: ${revokedText(held)}`, {
    hint: 'Nothing was changed. A revocation is for good: release another version.',
  });
}

function parse(text: string): Revocation {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = null;
  }
  const parsed = revocationSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new SallyportError('input.invalid', 'The signed revocation is not one this agent understands.', {
    hint: HINT,
  });
}

/** The routing without what was revoked: back to the newest version that was not; null where nothing was. */
export function withoutRevoked(
  { state, now }: { readonly state: StateFile; readonly now: () => Date },
  routing: ModelRouting,
  unusable: ReadonlySet<string> = new Set(),
): ModelRouting | null {
  const revocation = [routing.stable, routing.canary, routing.previous]
    .map((ref) => ref && state.revocationOf(ref.digest))
    .find((held) => held);
  if (!revocation) return null;
  return withoutReleases(
    routing,
    (ref) => state.revocationOf(ref.digest) !== undefined || unusable.has(ref.root),
    state.current.served.filter((each) => each.name === routing.name).reverse(),
    { at: now().toISOString(), kind: 'revoked', reason: revokedText(revocation), measurements: [] },
  );
}

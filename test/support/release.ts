/** Signed releases for tests: real keys, real signatures, real models; only the people are made up. */
import { createHash, randomUUID } from 'node:crypto';
import type { ReleasePackage, SignedRevocation } from '../../electron/ports/endpoint.ts';
import type { ReleaseRequest } from '../../shared/domain/approval/request.ts';
import { REVOCATION_FILE, type Revocation } from '../../shared/domain/endpoint/revocation.ts';
import type { TrustFile } from '../../shared/domain/endpoint/trust.ts';
import type { OutputMapping } from '../../shared/domain/model/version.ts';
import { DEFAULT_GUARDS, type RolloutPlan } from '../../shared/domain/rollout/plan.ts';
import {
  buildStatement,
  generateSigningKey,
  rootOf,
  type SigningKey,
  signStatement,
} from '../../shared/node/model-signing/index.ts';
import { logisticRegression, model } from './onnx-builder.ts';

export interface Signer {
  readonly person: string;
  readonly name: string;
  readonly key: SigningKey;
}

export function makeSigner(person: string, name = person.toLowerCase()): Signer {
  return { person, name, key: generateSigningKey() };
}

/** A three-feature logistic regression that says 1 from `sum(features) > threshold` on; another threshold, another digest. */
export function thresholdModel(threshold: number, features = 3): Uint8Array {
  const spec = logisticRegression(features);
  const weights = new Float32Array(Array.from({ length: features }, () => [0, 1]).flat());
  return model({
    ...spec,
    graph: {
      ...spec.graph,
      initializers: [
        { name: 'w', dims: [features, 2], raw: new Uint8Array(weights.buffer) },
        { name: 'b', dims: [2], floats: [0, -threshold] },
      ],
    },
  });
}

export const LOGISTIC_MAPPING: OutputMapping = {
  kind: 'classifier',
  input: 'features',
  labelOutput: 'label',
  scoreOutput: 'probabilities',
  scoreColumn: 1,
  positiveLabel: 1,
  threshold: 0.5,
  lowerIsPositive: false,
};

/** A vault with a submitter and two approvers, and the trust file that pins them. */
export interface Site {
  readonly vaultId: string;
  readonly environmentId: string;
  readonly submitter: Signer;
  readonly approvers: readonly [Signer, Signer];
  readonly trust: TrustFile;
}

export function makeSite(
  options: { readonly vaultId?: string; readonly quorum?: number; readonly checkpointKey?: string } = {},
): Site {
  const vaultId = options.vaultId ?? randomUUID();
  const submitter = makeSigner('Sam Submitter');
  const approvers = [makeSigner('Ada Byron'), makeSigner('Grace Hopper')] as const;
  return {
    vaultId,
    environmentId: `production-${randomUUID()}`,
    submitter,
    approvers,
    trust: {
      vaults: [
        options.checkpointKey === undefined
          ? { id: vaultId }
          : { id: vaultId, checkpointKey: options.checkpointKey },
      ],
      quorum: options.quorum ?? 2,
      approvers: [submitter, ...approvers].map(({ person, name, key }) => ({
        person,
        name,
        publicKeyPem: key.publicKeyPem,
      })),
    },
  };
}

export interface ReleaseOptions {
  readonly name?: string;
  readonly version?: string;
  readonly serial?: number;
  readonly notAfter?: string;
  readonly vaultId?: string;
  readonly environmentId?: string;
  readonly model?: Uint8Array;
  readonly mapping?: OutputMapping;
  /** Changes to a canary's plan with the guards everybody has. */
  readonly plan?: Partial<RolloutPlan>;
  /** Who signs; default the submitter and both approvers. */
  readonly signers?: readonly Signer[];
  readonly submitter?: Signer;
  readonly change?: (files: Map<string, Uint8Array>) => void;
}

/** A release directory with its bundles, as the console sends it. */
export function makeRelease(
  site: Site,
  options: ReleaseOptions = {},
): ReleasePackage & { readonly request: ReleaseRequest } {
  const bytes = options.model ?? thresholdModel(0.5);
  const submitter = options.submitter ?? site.submitter;
  const request: ReleaseRequest = {
    vaultId: options.vaultId ?? site.vaultId,
    requestId: randomUUID(),
    name: options.name ?? 'phish',
    version: options.version ?? '1.0.0',
    digest: sha256(bytes),
    environmentId: options.environmentId ?? site.environmentId,
    serial: options.serial ?? 1,
    submitter: { name: submitter.name, person: submitter.person, keyFingerprint: submitter.key.fingerprint },
    createdAt: new Date().toISOString(),
    notAfter: options.notAfter ?? new Date(Date.now() + 3_600_000).toISOString(),
  };
  const files = new Map<string, Uint8Array>([
    ['dossier.json', text({ mapping: options.mapping ?? LOGISTIC_MAPPING })],
    ['model.onnx', bytes],
    ['plan.json', text(planOf(options.plan))],
    ['policy.yaml', Buffer.from('version: 1\n')],
    ['request.json', text(request)],
  ]);
  options.change?.(files);
  const resources = [...files]
    .map(([name, content]) => ({ name, digest: sha256(content) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const statement = buildStatement({ name: `${request.name}-${request.version}`, resources });
  const signers = options.signers ?? [submitter, ...site.approvers];
  return {
    request,
    name: request.name,
    version: request.version,
    root: rootOf(resources),
    bundles: signers.map(({ key }) => signStatement(statement, key.privateKeyPkcs8Pem, key.publicKeyPem)),
    files: resources.map(({ name, digest }) => {
      const content = files.get(name) ?? new Uint8Array();
      return { name, digest, sizeBytes: content.length, open: () => pieces(content) };
    }),
  };
}

function planOf(change: Partial<RolloutPlan> = {}): RolloutPlan {
  return {
    strategy: 'canary',
    steps: [10, 50, 100],
    bakeMs: 0,
    maxStepMs: 60_000,
    mirrorSample: 1,
    guards: DEFAULT_GUARDS,
    salt: 'a-plan-salt',
    ...change,
  };
}

/** A revocation of a release, as a console signs it; by the first approver when left out. */
export function makeRevocation(
  site: Site,
  release: { readonly request: Pick<ReleaseRequest, 'name' | 'version' | 'digest'> },
  serial: number,
  { signer = site.approvers[0], ...change }: Partial<Revocation> & { readonly signer?: Signer } = {},
): SignedRevocation {
  const { name, version, digest } = release.request;
  const body: Revocation = {
    vaultId: site.vaultId,
    environmentId: site.environmentId,
    serial,
    name,
    version,
    digest,
    reason: 'It was trained on poisoned data.',
    createdAt: new Date().toISOString(),
    ...change,
  };
  const revocation = `${JSON.stringify(body, null, 2)}\n`;
  const resources = [{ name: REVOCATION_FILE, digest: sha256(Buffer.from(revocation)) }];
  const { privateKeyPkcs8Pem, publicKeyPem } = signer.key;
  const statement = buildStatement({ name: `revocation-${serial}`, resources });
  return { revocation, bundle: signStatement(statement, privateKeyPkcs8Pem, publicKeyPem) };
}

async function* pieces(content: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < content.length; start += 65_536) yield content.subarray(start, start + 65_536);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function text(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}

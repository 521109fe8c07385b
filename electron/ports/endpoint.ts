import type { ClientCertificate, EndpointTls } from '../../shared/domain/endpoint/credentials.ts';
import type {
  AgentIdentity,
  Endpoint,
  Receipt,
  RevocationReceipt,
  ServedModel,
} from '../../shared/domain/endpoint/endpoint.ts';
import type { HeldRevocation } from '../../shared/domain/endpoint/revocation.ts';
import type { TrafficSample } from '../../shared/domain/traffic/sample.ts';

/** A release on its way out: the directory's files (plaintext, streamed from the vault) and the bundles beside it. */
export interface ReleasePackage {
  readonly name: string;
  readonly version: string;
  /** Subject digest of the signed statement. */
  readonly root: string;
  /** Submission and approvals: OpenSSF Model Signing bundles, JSON text. */
  readonly bundles: readonly string[];
  readonly files: readonly {
    name: string;
    digest: string;
    sizeBytes: number;
    open(): AsyncIterable<Uint8Array>;
  }[];
}

/** Where traffic of one model should go. `canary` null = all to stable. */
export interface RoutingChange {
  /** Idempotency key: the same key again answers the first answer. */
  readonly key: string;
  /** 409 `endpoint.stale` unless the agent's generation for this model is this one. */
  readonly expectedGeneration: number;
  readonly stableRoot: string | null;
  readonly canary: { root: string; percent: number; mirrorSample: number; salt: string } | null;
}

/** A revocation as it travels: the text of `revocation.json` and the bundle over it. */
export interface SignedRevocation {
  readonly revocation: string;
  readonly bundle: string;
}

/** What an endpoint can do; the window offers only that. */
export interface EndpointCapabilities {
  readonly push: boolean;
  readonly activate: boolean;
  readonly weights: boolean;
  readonly mirror: boolean;
  readonly receipt: boolean;
  readonly metrics: boolean;
}

/**
 * One serving endpoint. Every call has its own deadline and throws `endpoint.unreachable`, `endpoint.unauthorized`,
 * `endpoint.stale`, `endpoint.refused` (with the endpoint's reason) or `integrity.endpoint` (its key is not the
 * pinned one, or a receipt does not verify). Receipts are verified (signature, nonce, environment, digest) before return.
 */
export interface EndpointClient {
  readonly capabilities: EndpointCapabilities;
  identity(signal?: AbortSignal): Promise<AgentIdentity>;
  models(signal?: AbortSignal): Promise<ServedModel[]>;
  /** Idempotent and resumable: files already there are not sent again. Resolves when the agent has verified the release. */
  push(
    release: ReleasePackage,
    onProgress: (sent: number, total: number) => void,
    signal?: AbortSignal,
  ): Promise<void>;
  route(model: string, change: RoutingChange, signal?: AbortSignal): Promise<Receipt>;
  /** Back to the previous version (or `to`), at once; drops a canary first if there is one. */
  rollback(
    model: string,
    /** `expectedGeneration`: `endpoint.stale` unless the model is at it, so that two hands do not go back twice. */
    request: { key: string; to: string | null; expectedGeneration?: number },
    signal?: AbortSignal,
  ): Promise<Receipt>;
  /**
   * Takes every release of a model's bytes out for good: out of traffic, memory and whatever could bring it back. Durable
   * once it resolves; the same one again changes nothing. Refused unless its signer may revoke there, and its serial is new.
   */
  revoke(revocation: SignedRevocation, signal?: AbortSignal): Promise<RevocationReceipt>;
  /** What was revoked there, oldest first. */
  revocations(signal?: AbortSignal): Promise<HeldRevocation[]>;
  traffic(model: string, signal?: AbortSignal): Promise<TrafficSample>;
  /**
   * A reading by the console that drives a rollout: while the endpoint is at this generation, its canary's lease begins
   * anew. Answers also where it is not: then the reading says what it is at, and `moved` whether by its own decision.
   */
  renew(model: string, generation: number, signal?: AbortSignal): Promise<TrafficSample>;
  /** Stores a signed audit checkpoint at the agent; refused when it contradicts one it holds. */
  storeCheckpoint(vaultId: string, note: string, signal?: AbortSignal): Promise<void>;
  /** All checkpoints the agent holds of a vault, oldest first. */
  checkpoints(vaultId: string, signal?: AbortSignal): Promise<string[]>;
  close(): Promise<void>;
}

/** Opens clients; the token comes from the secret store when a call needs it. */
export interface EndpointConnector {
  /** Asks an unknown endpoint who it is, before anything is pinned. */
  probe(
    adminUrl: string,
    token: string,
    signal?: AbortSignal,
    tls?: EndpointTls,
    client?: () => Promise<ClientCertificate | null>,
  ): Promise<AgentIdentity & { fingerprint: string }>;
  /** `client`: the console's own certificate, for an agent that asks for one. */
  connect(
    endpoint: Endpoint,
    token: () => Promise<string>,
    client?: () => Promise<ClientCertificate | null>,
  ): EndpointClient;
}

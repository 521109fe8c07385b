import type { ApprovalRecord, RequestRecord, RequestState } from '../../shared/domain/approval/request.ts';
import type { AuditEntry, AuditHead } from '../../shared/domain/audit/entry.ts';
import type { Endpoint, EndpointStatus } from '../../shared/domain/endpoint/endpoint.ts';
import type { SallyportError } from '../../shared/domain/errors.ts';
import type { ComparisonReport, ValidationReport } from '../../shared/domain/metrics/report.ts';
import type { CollectableVersion } from '../../shared/domain/model/retention.ts';
import type {
  Alias,
  ModelVersion,
  OutputMapping,
  VersionMetadata,
  VersionRef,
  VersionState,
} from '../../shared/domain/model/version.ts';
import type { Operator } from '../../shared/domain/operator/operator.ts';
import type { Environment, Policy } from '../../shared/domain/policy/policy.ts';
import type { RolloutState, TrafficPoint } from '../../shared/domain/rollout/state.ts';
import type { VersionRow } from '../../shared/domain/view/views.ts';
import type { EvidenceReader, EvidenceWriter } from './evidence-store.ts';

/** Readers never change anything; writers exist only inside a transaction. All calls are synchronous. */
export interface RegistryReader {
  version(ref: VersionRef): ModelVersion | null;
  versionByDigest(name: string, digest: string): ModelVersion | null;
  versionsOf(name: string): ModelVersion[];
  /** Versions whose parent this one is, oldest first. */
  children(ref: VersionRef): string[];
  parentOf(ref: VersionRef): string | null;
  /** Newest first; `total` is exact. Errors: `input.invalid` where the text is no query (see `shared/domain/model/search`). */
  search(query: { text: string; limit: number; offset: number }): { rows: VersionRow[]; total: number };
  /** What the retention rule looks at, of every version of a model. */
  collectable(name: string): CollectableVersion[];
  /** Ids of files that collections removed, whoever still names them. */
  collectedArtifacts(): string[];
  /** The files of versions, without those that were removed. */
  allArtifacts(): { ref: VersionRef; artifactId: string; digest: string; sizeBytes: number }[];
  aliases(name: string): Alias[];
  aliasedVersion(name: string, alias: string): ModelVersion | null;
  /** The versions that carry this alias, one a model, by name. */
  aliased(alias: string): VersionRow[];
  names(): string[];
  /** Kept, not counted. `artifactBytes` = plaintext bytes of the versions whose file is there. */
  counts(): { models: number; versions: number; artifactBytes: number };
}
export interface RegistryWriter extends RegistryReader {
  insertVersion(version: ModelVersion): void;
  setState(ref: VersionRef, state: VersionState): void;
  setMapping(ref: VersionRef, mapping: OutputMapping): void;
  setMetadata(ref: VersionRef, metadata: VersionMetadata): void;
  setAlias(alias: Alias): void;
  /** Answers the version that carried it, or null. */
  removeAlias(alias: { name: string; alias: string }): string | null;
  /** Notes that the version's file is, or is about to be, gone. */
  markRemoved(ref: VersionRef, removed: { at: string; by: string }): void;
  /** Takes the mark back: the same bytes are there again, in another file. */
  restoreArtifact(ref: VersionRef, artifactId: string): void;
}

export interface ReportReader {
  validation(id: string): ValidationReport | null;
  /** Newest first. */
  validations(ref: VersionRef | null): ValidationReport[];
  comparison(id: string): ComparisonReport | null;
  comparisons(ref: VersionRef | null): ComparisonReport[];
}
export interface ReportWriter extends ReportReader {
  insertValidation(report: ValidationReport): void;
  insertComparison(report: ComparisonReport): void;
}

/** A stored operator: the public record and the age file (scrypt) that holds the private key under the passphrase's protection. */
export interface OperatorReader {
  operator(id: string): Operator | null;
  operatorByName(name: string): Operator | null;
  operators(): Operator[];
  /** Consecutive failed sign-ins and when the last one was, for the back-off. */
  signInFailures(operatorId: string): { count: number; lastAt: string | null };
}
export interface OperatorWriter extends OperatorReader {
  insertOperator(operator: Operator): void;
  /** Replaces the record of the operator with this id; the name stays what it was. */
  updateOperator(operator: Operator): void;
  setSignInFailures(operatorId: string, count: number, at: string | null): void;
}

export interface EnvironmentReader {
  environment(id: string): Environment | null;
  environmentByName(name: string): Environment | null;
  environments(): Environment[];
}
export interface EnvironmentWriter extends EnvironmentReader {
  insertEnvironment(environment: Environment): void;
  setPolicy(id: string, policy: Policy): void;
}

/** A request's files: `files` names each file's artifact id in the artifact store, digest and size. */
export interface RequestFiles {
  readonly files: readonly { name: string; artifactId: string; digest: string; sizeBytes: number }[];
}
export interface RequestReader {
  request(id: string): RequestRecord | null;
  requestFiles(id: string): RequestFiles | null;
  requests(): RequestRecord[];
  approvals(requestId: string): ApprovalRecord[];
  /** Highest serial given out for an environment; 0 before the first. */
  lastSerial(environmentId: string): number;
}
export interface RequestWriter extends RequestReader {
  insertRequest(record: RequestRecord, files: RequestFiles): void;
  setRequestState(id: string, state: RequestState, reason: string): void;
  insertApproval(approval: ApprovalRecord): void;
}

export interface EndpointReader {
  endpoint(id: string): Endpoint | null;
  endpointByName(name: string): Endpoint | null;
  endpoints(): Endpoint[];
  lastStatus(endpointId: string): EndpointStatus | null;
}
export interface EndpointWriter extends EndpointReader {
  insertEndpoint(endpoint: Endpoint): void;
  removeEndpoint(id: string): void;
  setStatus(status: EndpointStatus): void;
}

export interface RolloutReader {
  rollout(id: string): RolloutState | null;
  /** Newest first. */
  rollouts(): RolloutState[];
  /** Rollouts whose phase is not final. */
  unfinished(): RolloutState[];
  points(rolloutId: string): TrafficPoint[];
}
export interface RolloutWriter extends RolloutReader {
  saveRollout(state: RolloutState): void;
  addPoint(rolloutId: string, point: TrafficPoint): void;
}

export interface AuditReader {
  head(): AuditHead | null;
  entry(seq: number): AuditEntry | null;
  /** In order of sequence, streamed. */
  entries(fromSeq?: number): IterableIterator<AuditEntry>;
  /** The exact texts that were hashed, one line each: what an export holds. */
  lines(fromSeq?: number): IterableIterator<string>;
  /** Rows as they are stored, unparsed: for proving the chain of a log that may have been edited. */
  rows(fromSeq?: number): IterableIterator<{ seq: number; canonical: string; hash: string }>;
  /** Newest first; `text` is a query (see `shared/domain/audit/query.ts`), `input.invalid` where it is none. */
  page(query: { before: number | null; limit: number; text: string }): {
    entries: AuditEntry[];
    total: number;
  };
  checkpoints(): { size: number; note: string; sentTo: string[] }[];
  newestCheckpoint(): { size: number; note: string; sentTo: string[] } | null;
  /** All stored checkpoints, oldest first: a long log has thousands. */
  notes(): string[];
}
export interface AuditWriter extends AuditReader {
  append(entry: AuditEntry, canonical: string): void;
  saveCheckpoint(size: number, note: string): void;
  markCheckpointSent(size: number, endpointId: string): void;
}

/** Vault facts kept inside the database, so that a swapped `vault.json` is noticed. */
export interface SettingsReader {
  setting(key: string): string | null;
}
export interface SettingsWriter extends SettingsReader {
  setSetting(key: string, value: string): void;
}

export interface StoreReader
  extends RegistryReader,
    ReportReader,
    EvidenceReader,
    OperatorReader,
    EnvironmentReader,
    RequestReader,
    EndpointReader,
    RolloutReader,
    SettingsReader {
  readonly audit: AuditReader;
}
export interface StoreWriter
  extends RegistryWriter,
    ReportWriter,
    EvidenceWriter,
    OperatorWriter,
    EnvironmentWriter,
    RequestWriter,
    EndpointWriter,
    RolloutWriter,
    SettingsWriter {
  readonly audit: AuditWriter;
}

/** The encrypted database. One per vault; any process may read and commit. */
export interface Store {
  readonly read: StoreReader;
  /** Runs `work` in one IMMEDIATE transaction; what it throws rolls everything back. `work` is synchronous. */
  transaction<T>(work: (tx: StoreWriter) => T): T;
  /** Why the store is open for reading only: every transaction is refused with it until the disk takes writes again. */
  unwritable(): SallyportError | null;
  /** Whether another process has committed since this was last asked; the first answer is false. Cheap enough for every second. */
  changedElsewhere(): boolean;
  /** Keeps transactions away until released: one that begins meanwhile is a `conflict`, unless it waited for `held`. */
  hold(): () => void;
  /** Resolves when the store is released; null while nobody holds it. */
  held(): Promise<void> | null;
  /**
   * Goes on with the complete database at `path`, which takes the place of the store's own file, under its `key`. No
   * other process may have the store open. Where it fails, the old file is still there and open.
   */
  replaceBy(path: string, key: Uint8Array): void;
  close(): void;
}

import type { ApprovalRecord, RequestRecord, RequestState } from '../../shared/domain/approval/request.ts';
import type { AuditEntry, AuditHead } from '../../shared/domain/audit/entry.ts';
import type { Endpoint, EndpointStatus } from '../../shared/domain/endpoint/endpoint.ts';
import type { ComparisonReport, ValidationReport } from '../../shared/domain/metrics/report.ts';
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

/** Readers never change anything; writers exist only inside a transaction. All calls are synchronous. */
export interface RegistryReader {
  version(ref: VersionRef): ModelVersion | null;
  versionByDigest(name: string, digest: string): ModelVersion | null;
  versionsOf(name: string): ModelVersion[];
  search(query: { text: string; limit: number; offset: number }): { rows: VersionRow[]; total: number };
  allArtifacts(): { ref: VersionRef; artifactId: string; digest: string; sizeBytes: number }[];
  aliases(name: string): Alias[];
  aliasedVersion(name: string, alias: string): ModelVersion | null;
  /** The versions that carry this alias, one a model, by name. */
  aliased(alias: string): VersionRow[];
  names(): string[];
  counts(): { models: number; versions: number };
}
export interface RegistryWriter extends RegistryReader {
  insertVersion(version: ModelVersion): void;
  setState(ref: VersionRef, state: VersionState): void;
  setMapping(ref: VersionRef, mapping: OutputMapping): void;
  setMetadata(ref: VersionRef, metadata: VersionMetadata): void;
  setAlias(alias: Alias): void;
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
  page(query: { before: number | null; limit: number; text: string }): {
    entries: AuditEntry[];
    total: number;
  };
  checkpoints(): { size: number; note: string; sentTo: string[] }[];
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
  /** Whether another process has committed since this was last asked; the first answer is false. Cheap enough for every second. */
  changedElsewhere(): boolean;
  close(): void;
}

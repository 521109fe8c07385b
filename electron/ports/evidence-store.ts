/** What the vault keeps of evidence besides the reports themselves. */
import type { ReferenceProfile } from '../../shared/domain/drift/index.ts';
import type { DataSelection, DatasetRecord } from '../../shared/domain/evidence/dataset.ts';
import type { EvidenceRef, RowLabel } from '../../shared/domain/evidence/rows.ts';
import type { VersionRef } from '../../shared/domain/model/version.ts';
import type { StoredArtifact } from './artifacts.ts';
import type { QuarantineRecord } from './engine.ts';

/** A version's data as it was when the version was judged: what later data is held against. */
export interface StoredProfile {
  readonly ref: VersionRef;
  readonly datasetDigest: string;
  /** The validation it comes from. */
  readonly reportId: string;
  readonly profile: ReferenceProfile;
}

/** How a report's rows can be looked at again. */
export interface EvidenceData {
  /** As the run used it, columns resolved; its `path` is only where the file was then. */
  readonly selection: DataSelection;
  /** Every row's answers; null where none were kept. */
  readonly answers: StoredArtifact | null;
}

/** A run under way, or interrupted. Its id becomes that of its report. */
export interface StoredRun {
  readonly id: string;
  readonly kind: 'validation' | 'comparison';
  readonly title: string;
  /** The service's own input, checked again by it. */
  readonly input: unknown;
  /** Digests of the models it began with. */
  readonly digests: readonly string[];
  readonly startedAt: string;
  readonly startedBy: string;
  /** Of the operating system: whose it is now. */
  readonly process: number;
  readonly rowsDone: number;
  readonly rowsTotal: number | null;
  /** Milliseconds worked on it until the last checkpoint. */
  readonly elapsedMs: number;
  /** The engine's words of the last checkpoint; null before the first. */
  readonly state: string | null;
}
export type RunCheckpoint = Pick<StoredRun, 'rowsDone' | 'rowsTotal' | 'elapsedMs' | 'state'>;

export interface EvidenceReader {
  dataset(digest: string): DatasetRecord | null;
  /** Newest first. */
  datasets(): DatasetRecord[];
  /** Feature → column as last used for this model. */
  columnMapping(model: string): Record<string, string> | null;
  profile(ref: VersionRef): StoredProfile | null;
  evidenceData(evidence: EvidenceRef): EvidenceData | null;
  /** By row. */
  rowLabels(evidence: EvidenceRef): RowLabel[];
  /** Newest first. */
  runs(): StoredRun[];
  run(id: string): StoredRun | null;
  /** Answers of a run in their order. */
  runSegments(id: string): StoredArtifact[];
  quarantine(): QuarantineRecord[];
  /** Every stored file that reports and runs name. */
  evidenceArtifacts(): (StoredArtifact & { readonly what: string })[];
}
export interface EvidenceWriter extends EvidenceReader {
  /** One record a digest: a later one takes the place of the earlier. */
  saveDataset(record: DatasetRecord): void;
  saveColumnMapping(model: string, columns: Readonly<Record<string, string>>): void;
  saveProfile(profile: StoredProfile): void;
  saveEvidenceData(evidence: EvidenceRef, data: EvidenceData): void;
  /** `label` null takes the label back. */
  saveRowLabel(evidence: EvidenceRef, row: number, label: RowLabel | null): void;
  insertRun(run: StoredRun): void;
  /** Another process goes on with it. */
  setRunProcess(id: string, process: number): void;
  /** The next answers of a run, and how far it is. */
  addRunSegment(id: string, segment: StoredArtifact, checkpoint: RunCheckpoint): void;
  /** The run and the names of its answers; removing their files is the caller's. */
  removeRun(id: string): void;
  /** One record a digest: a later one takes the place of the earlier. */
  saveQuarantine(records: readonly QuarantineRecord[]): void;
  /** Answers whether there was one. */
  removeQuarantine(digest: string): boolean;
}

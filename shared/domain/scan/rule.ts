import type { OnnxReading } from '../onnx/reading.ts';
import type { Severity } from './finding.ts';

/** One place a rule has something to say about. What is left out comes from the rule. */
export interface Hit {
  readonly where: string;
  readonly detail: string;
  readonly severity?: Severity;
  readonly reference?: string;
}

export interface ScanRule {
  readonly id: string;
  /** The highest severity the rule gives. */
  readonly severity: Severity;
  readonly title: string;
  /** Public reference of the attack, or ''. */
  readonly reference: string;
  run(reading: OnnxReading): Iterable<Hit>;
}

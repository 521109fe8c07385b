/** What a model said of a batch of rows, one answer a row. */
export interface ModelAnswers {
  /** 1 malicious, 0 benign, `NO_ANSWER` where the model gave no number, or decides nothing at all. */
  readonly predicted: Uint8Array;
  /** NaN where the model gave no number; null where it has no scores. */
  readonly scores: Float32Array | null;
}

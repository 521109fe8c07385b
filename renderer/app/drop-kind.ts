/** What a dropped file is for, by its ending. The content is judged later, by the reader of that kind. */
export function dropKind(name: string): 'model' | 'dataset' | 'unknown' {
  const lower = name.toLowerCase();
  if (lower.endsWith('.onnx')) return 'model';
  return ['.csv', '.tsv', '.jsonl', '.ndjson', '.parquet', '.npy'].some((ending) => lower.endsWith(ending))
    ? 'dataset'
    : 'unknown';
}

/** Rows per second of the runtime alone, in this process: what a server could answer at best if all else were free. */
import * as ort from 'onnxruntime-node';
import '../../shared/node/onnx/no-telemetry.ts';

export interface RawRuns {
  /** For about so many milliseconds. */
  rowsPerSecond(ms: number): Promise<number>;
}

/** `batch`: `rows` rows of features, one after another; the same in every run, as a load generator sends them. */
export async function rawRuns(
  model: Uint8Array,
  batch: Float32Array,
  rows: number,
  threads: number,
): Promise<RawRuns> {
  // Threads that spin between runs take the cores from one another here.
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: threads,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const name = session.inputNames[0] ?? '';
  const tensor = new ort.Tensor('float32', batch, [rows, batch.length / rows]);
  for (let run = 0; run < 20; run++) await session.run({ [name]: tensor });
  return {
    async rowsPerSecond(ms) {
      const started = performance.now();
      let runs = 0;
      for (; performance.now() - started < ms; runs++) await session.run({ [name]: tensor });
      return (runs * rows) / ((performance.now() - started) / 1000);
    },
  };
}

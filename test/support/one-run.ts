/** One row through a model in a worker, and what that worker has open then. Linux alone tells. */
import { readdirSync, readlinkSync } from 'node:fs';
import { createInferenceHost, type InferenceWorker } from '../../shared/node/onnx/inference-host.ts';
import { firstFeature, sha256 } from './engine-models.ts';

/** Paths, and the system's names of pipes and sockets. */
export async function openAfterOneRun(fork: () => InferenceWorker): Promise<string[]> {
  let pid = 0;
  const host = createInferenceHost({
    fork: () => {
      const worker = fork();
      pid = worker.pid ?? 0;
      return worker;
    },
    deadlineMs: 60_000,
    maxRssBytes: 8 * 2 ** 30,
  });
  try {
    const bytes = firstFeature();
    await host.load({ key: 'good', bytes, digest: sha256(bytes) });
    const rows = { name: 'features', type: 'float32', dims: [1, 3], data: Float32Array.of(1, 0, 0) } as const;
    await host.run('good', [rows], ['label']);
    return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
      } catch {
        // Closed since it was listed.
        return [];
      }
    });
  } finally {
    await host.close();
  }
}

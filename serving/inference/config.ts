/** How models are run: `engine` and `batching` of agent.yaml. */
import { z } from 'zod';

export const engineSchema = z.strictObject({
  /** In the order in which the runtime tries them for each part of a model; what it has here is looked up at the start. */
  executionProviders: z.array(z.string().min(1).max(60)).min(1).max(8).default(['cpu']),
  /**
   * Processes that run one version whose rows are independent; 0 = two where there are cores for them and the model has 64
   * MiB at most, else one.
   */
  processes: z.number().int().min(0).max(16).default(0),
  /** Threads of each of them for one run; 0 = its share of the cores, of which 16 are used at most. */
  threads: z.number().int().min(0).max(256).default(0),
  /** Memory of all inference processes together, in bytes, above which versions without routed traffic are unloaded. */
  cacheBytes: z
    .number()
    .int()
    .min(1)
    .default(4 * 1024 ** 3),
});
export type EngineConfig = z.infer<typeof engineSchema>;

export const batchingSchema = z.strictObject({
  /** false: every call is a run of its own. */
  enabled: z.boolean().default(true),
  /** Most rows of calls that are run together; one with more runs alone. */
  maxRows: z.number().int().min(1).max(1_000_000).default(1024),
  /** Milliseconds that a call may wait for others while nothing runs; 0 adds no latency. */
  maxWaitMs: z.number().min(0).max(1000).default(0),
  /** Rows that may wait for one version; a call too many is answered 503. */
  queueRows: z.number().int().min(1).max(100_000_000).default(65_536),
});
export type BatchingConfig = z.infer<typeof batchingSchema>;

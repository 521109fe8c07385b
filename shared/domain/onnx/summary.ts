import { z } from 'zod';

/** A dimension is a size, a symbol (`N`), or null where the file leaves it open. */
export const onnxDimensionSchema = z.union([z.number(), z.string(), z.null()]);

export const onnxValueSchema = z.object({
  name: z.string(),
  /** `tensor`, `sequence`, `map`, `optional`, `sparse`, or `unknown`. */
  kind: z.enum(['tensor', 'sequence', 'map', 'optional', 'sparse', 'unknown']),
  /** ONNX element type in lower case (`float`, `int64`, `string`, …); for maps and sequences of their element. */
  elementType: z.string(),
  /** null where the file gives no shape. */
  shape: z.array(onnxDimensionSchema).nullable(),
});
export type OnnxValue = z.infer<typeof onnxValueSchema>;

/** What an ONNX file is, read by our own reader before any runtime sees it. All counts include nested graphs and functions. */
export const onnxSummarySchema = z.object({
  irVersion: z.number(),
  producerName: z.string(),
  producerVersion: z.string(),
  modelVersion: z.number(),
  docString: z.string(),
  graphName: z.string(),
  opsets: z.array(z.object({ domain: z.string(), version: z.number() })),
  operators: z.array(z.object({ domain: z.string(), type: z.string(), count: z.number().int() })),
  nodeCount: z.number().int(),
  functionCount: z.number().int(),
  maxDepth: z.number().int(),
  inputs: z.array(onnxValueSchema),
  outputs: z.array(onnxValueSchema),
  initializerCount: z.number().int(),
  /** Number of trained values: elements of initializers, and of numeric list attributes of ai.onnx.ml nodes (trees, linear models). */
  parameterCount: z.number(),
  metadata: z.record(z.string(), z.string()),
  /** Tensors whose bytes live outside this file. */
  externalData: z.array(z.object({ tensor: z.string(), keys: z.record(z.string(), z.string()) })),
  sizeBytes: z.number().int(),
  /** Classes that the main graph's classifier names, in the order of its score columns; missing where none does. */
  classes: z.object({ kind: z.enum(['text', 'integer']), labels: z.array(z.string()).readonly() }).optional(),
  /** Two classes with weights for both in the trees: the runtime's labels are wrong, its probabilities right. */
  labelsUnreliable: z.boolean().optional(),
});
export type OnnxSummary = z.infer<typeof onnxSummarySchema>;

/** Random access to a file's bytes; reads never pass the end. Implemented over memory, a file, or a decrypted artifact. */
export interface ByteSource {
  readonly size: number;
  /** The `length` bytes at `offset`; the caller keeps offset + length within size. */
  read(offset: number, length: number): Uint8Array;
}

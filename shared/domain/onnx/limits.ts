/** What the reader refuses to go beyond. A file over a limit is `model.unsupported`, never read half. */
export interface OnnxLimits {
  /** Bytes of the file. Protobuf itself stops at 2 GiB. */
  readonly fileBytes: number;
  /** Messages nested in one another; protobuf's own parsers stop at 100. */
  readonly depth: number;
  /** Fields on the wire: what bounds the time, whatever the bytes are. */
  readonly fields: number;
  /** Messages kept, of all kinds together: what bounds the memory. */
  readonly messages: number;
  readonly nodes: number;
  readonly tensors: number;
  readonly graphs: number;
  readonly functions: number;
  readonly metadataEntries: number;
  /** Bytes of one name (of a node, a tensor, a value, an operator, a domain). */
  readonly nameBytes: number;
  /** Bytes of one metadata value or doc string. */
  readonly textBytes: number;
  /** Bytes, and number, of all strings kept. */
  readonly totalTextBytes: number;
  readonly strings: number;
  /** Dimensions of one shape. */
  readonly dimensions: number;
  /** Dimensions of all shapes together. */
  readonly numbers: number;
}

export const DEFAULT_ONNX_LIMITS: OnnxLimits = {
  fileBytes: 2 ** 31 - 1,
  depth: 100,
  fields: 100_000_000,
  messages: 2_000_000,
  nodes: 200_000,
  tensors: 200_000,
  graphs: 50_000,
  functions: 20_000,
  metadataEntries: 10_000,
  nameBytes: 64 * 1024,
  textBytes: 1024 * 1024,
  totalTextBytes: 64 * 1024 * 1024,
  strings: 4_000_000,
  dimensions: 256,
  numbers: 4_000_000,
};

/** Which limit a message counts against, besides that on all messages. */
export type CountedKind = 'nodes' | 'tensors' | 'graphs' | 'functions' | 'metadataEntries';

/**
 * What to do with one field of a message of type M. The setters are methods, so that types of different messages
 * fit on one stack.
 */
export type Field<M extends object> =
  /** One integer; the last one on the wire counts, as in protobuf. */
  | { readonly kind: 'int'; set(message: M, value: number): void }
  /** Repeated integers that are kept (dimensions), packed or not. */
  | { readonly kind: 'ints'; list(message: M): number[] }
  | { readonly kind: 'text'; readonly limit: 'nameBytes' | 'textBytes'; set(message: M, value: string): void }
  | { readonly kind: 'texts'; list(message: M): string[] }
  /** The first `limit` bytes as text, and the whole length; the rest is skipped. */
  | { readonly kind: 'prefix'; readonly limit: number; set(message: M, value: string, length: number): void }
  /** Repeated numbers or byte strings that are counted, not kept. Packed varints are counted as at most one per byte. */
  | {
      readonly kind: 'count';
      readonly element: 'fixed32' | 'fixed64' | 'varint' | 'bytes';
      add(message: M, count: number): void;
    }
  /** Bytes that are never read: only their length is. */
  | { readonly kind: 'payload'; add(message: M, length: number): void }
  /** A known field that nothing here needs. */
  | { readonly kind: 'ignore' }
  /** A nested message. `existing` is what protobuf would merge a second occurrence of a singular field into. */
  | {
      readonly kind: 'message';
      readonly type: () => MessageType<object>;
      existing(message: M): object | null;
      add(message: M, child: object): void;
    };

export interface MessageType<M extends object> {
  readonly name: string;
  readonly counted: CountedKind | null;
  create(): M;
  readonly fields: Readonly<Record<number, Field<M>>>;
}

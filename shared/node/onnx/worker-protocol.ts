import { ERROR_CODES, type ErrorCode, SallyportError } from '../../domain/errors.ts';
import type { OutputMapping } from '../../domain/model/version.ts';
import type { NamedTensor } from './named-tensor.ts';
import { shorten } from './shorten.ts';

/**
 * Messages between a parent and its inference worker. Rows travel as typed arrays, never as JSON. Every request has
 * an id and gets exactly one reply; progress notes may come before it. The worker answers in the order of arrival and
 * says which request it turns to before it does, which is how the parent knows which one a crash belongs to: a request
 * sent to a process that was already dead is nobody's fault.
 */
export type WorkerRequest =
  | {
      readonly type: 'load-begin';
      readonly id: number;
      /** Name the parent gives this loaded model; later requests use it. */
      readonly key: string;
      /** SHA-256 the received bytes must have, lower-case hex. */
      readonly digest: string;
      readonly use: ModelUse;
      readonly sizeBytes: number;
      readonly intraOpThreads: number;
    }
  | { readonly type: 'load-chunk'; readonly id: number; readonly key: string; readonly bytes: Uint8Array }
  | { readonly type: 'load-end'; readonly id: number; readonly key: string }
  | {
      /** Of a model loaded for tensors. Reply value: the `wanted` outputs in this order, as `NamedTensor`s. */
      readonly type: 'run';
      readonly id: number;
      readonly key: string;
      readonly inputs: readonly NamedTensor[];
      readonly wanted: readonly string[];
    }
  | { readonly type: 'unload'; readonly id: number; readonly key: string }
  /** Reply value: the names of the runtime's execution providers that can be used here. */
  | { readonly type: 'providers'; readonly id: number }
  /** Work a particular entry adds (the desktop's evaluation over a dataset). */
  | { readonly type: 'task'; readonly id: number; readonly task: unknown };

export type WorkerReply =
  /** The worker turns to this request. Not sent for one that a reply named as `next`. */
  | { readonly id: number; readonly kind: 'begun' }
  /** `next`: the request the worker turns to after this one, if it has it already. */
  | { readonly id: number; readonly kind: 'done'; readonly value: unknown; readonly next: number | null }
  | { readonly id: number; readonly kind: 'failed'; readonly error: WireError; readonly next: number | null }
  | { readonly id: number; readonly kind: 'progress'; readonly value: unknown }
  /** The worker's own memory reading, for systems where the parent cannot look it up. */
  | { readonly id: 0; readonly kind: 'memory'; readonly rssBytes: number };

/** What a model is loaded for, with the reply value of its `load-end`. */
export type ModelUse =
  /** Rows of features, by a task. `ModelInfo`. */
  | { readonly kind: 'rows'; readonly mapping: OutputMapping }
  /** `run`. `ModelInterface`. */
  | { readonly kind: 'tensors'; readonly executionProviders?: readonly string[] }
  /** The bytes are only verified and kept, for a task that makes its own sessions of them. Null. */
  | { readonly kind: 'bytes' };

/** What a model is to somebody who asks it by rows. */
export interface ModelInfo {
  readonly input: {
    readonly name: string;
    readonly type: string;
    readonly shape: readonly (number | string)[];
  };
  readonly outputs: readonly {
    readonly name: string;
    readonly type: string;
    readonly shape: readonly (number | string)[];
  }[];
  /** Values per row, or null where the model leaves the width open. */
  readonly featureCount: number | null;
  /** Rows per call where the model fixes them, else null. Callers need not care: the session slices and pads. */
  readonly fixedBatch: number | null;
  readonly hasScores: boolean;
  /** Features that take text, by their place in a row; `runDetailed` wants them apart. */
  readonly textFeatures: readonly number[];
}

/** Raw label values and raw scores of the mapped column, one per row. */
export interface Predictions {
  /** Values of the label output; where the model has none, derived from the score by the mapping's threshold. */
  readonly labels: Float64Array;
  readonly scores: Float32Array | null;
}

/** A `SallyportError` on its way between processes. */
export interface WireError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string | null;
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}

export function toWireError(error: unknown): WireError {
  if (error instanceof SallyportError) {
    return { code: error.code, message: error.message, hint: error.hint ?? null, facts: error.facts };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'unexpected', message: shorten(message, 2000), hint: null, facts: {} };
}

export function fromWireError(wire: WireError): SallyportError {
  const code: ErrorCode = Object.hasOwn(ERROR_CODES, wire.code) ? wire.code : 'unexpected';
  return new SallyportError(code, wire.message, {
    ...(wire.hint === null ? {} : { hint: wire.hint }),
    facts: wire.facts,
  });
}

/**
 * A copy that owns exactly its bytes. Electron's structured clone sends the whole buffer behind a view, so that a
 * small view of a large buffer would be a large message.
 */
export function exactly<T extends Uint8Array | Float32Array>(view: T): T {
  if (view.byteLength === view.buffer.byteLength) return view;
  // Not `view.slice()`: a Buffer's own slice is another view of the same memory.
  const { buffer, byteOffset, byteLength } = view;
  const copy = buffer.slice(byteOffset, byteOffset + byteLength);
  return (view instanceof Float32Array ? new Float32Array(copy) : new Uint8Array(copy)) as T;
}

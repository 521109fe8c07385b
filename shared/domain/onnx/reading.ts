import type { RepeatedField, UnknownField } from './field-tally.ts';
import type { OnnxSummary } from './summary.ts';

/** A graph or a function body: names are resolved in it and then in the graphs around it. */
export interface Scope {
  readonly kind: 'graph' | 'training' | 'function';
  /** Index of the scope whose node carries this graph, or null. A function sees nothing around it. */
  readonly parent: number | null;
  /** The node of the parent that carries it (null: a default value of a function's attribute), and under which attribute. */
  readonly carrier: { readonly node: number | null; readonly attribute: string } | null;
  /** Name of the function or graph. */
  readonly name: string;
  /** Nesting of graphs: 1 for the main graph and for a function's body. */
  readonly depth: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly initializers: readonly string[];
  readonly nodes: readonly NodeFact[];
}

export interface NodeFact {
  readonly name: string;
  /** '' for ONNX's own domain, also where the file spells it `ai.onnx`. */
  readonly domain: string;
  readonly type: string;
  readonly overload: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** String attributes: name, first 4 KiB, whole length in bytes. */
  readonly texts: readonly { readonly name: string; readonly text: string; readonly bytes: number }[];
}

export interface TensorFact {
  readonly scope: number;
  /** The node whose attribute holds it, or null for an initializer. */
  readonly node: number | null;
  /** `initializer`, `sparse initializer values`, `attribute "value"`, … */
  readonly slot: string;
  readonly name: string;
  readonly dataType: number;
  /** Dimensions as written: a hostile file has negative ones. */
  readonly dims: readonly number[];
  /** Product of the dimensions, -1 where one is negative; for a sparse tensor's dense shape see `denseElements`. */
  readonly elements: number;
  /** Elements of the dense tensor a sparse one unfolds to, or null. */
  readonly denseElements: number | null;
  /** The most elements that the bytes stored for it in this file can hold; null where they are elsewhere. */
  readonly capacity: number | null;
  /** True where `capacity` is exact (raw bytes), not an upper bound. */
  readonly isExact: boolean;
  /** External data entries as written, null where there are none and the location is the file itself. */
  readonly external: readonly { readonly key: string; readonly value: string }[] | null;
}

export interface FunctionFact {
  readonly domain: string;
  readonly name: string;
  readonly overload: string;
  readonly scope: number;
}

export interface TextFact {
  readonly where: string;
  readonly text: string;
}

/** What the scan rules judge, beyond the summary. */
export interface OnnxFacts {
  readonly scopes: readonly Scope[];
  readonly functions: readonly FunctionFact[];
  readonly tensors: readonly TensorFact[];
  /** Opset imports of the model and of its functions, domains as in `NodeFact`. */
  readonly opsets: readonly { readonly where: string; readonly domain: string; readonly version: number }[];
  /** Metadata entries (the key first) and doc strings of the model, its graphs and functions. */
  readonly texts: readonly TextFact[];
  readonly metadataKeys: readonly string[];
  readonly trainingGraphs: number;
  readonly unknownFields: readonly UnknownField[];
  readonly repeatedFields: readonly RepeatedField[];
}

export interface OnnxReading {
  readonly summary: OnnxSummary;
  readonly facts: OnnxFacts;
}

const PATH_SEGMENTS = 6;

/** A name for people: quoted, shortened, without control characters. */
export function quoted(name: string): string {
  const printable = [...name.slice(0, 80)]
    .map((character) => (isControl(character) ? '\uFFFD' : character))
    .join('');
  return `"${printable}${name.length > 80 ? '…' : ''}"`;
}

/** Control and direction-changing characters, which make a terminal or a page show something else than is there. */
export function isControl(character: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return (
    code < 0x20 ||
    (code >= 0x7f && code < 0xa0) ||
    (code >= 0x200e && code <= 0x200f) ||
    (code >= 0x202a && code <= 0x202e) ||
    (code >= 0x2066 && code <= 0x2069)
  );
}

/** `graph`, `function "f"`, `graph/node[3].then_branch`: where a scope is. Deep ones are shortened in the middle. */
export function scopePath(scopes: readonly Scope[], index: number): string {
  const segments: string[] = [];
  let root = 'graph';
  for (let at: number | null = index; at !== null; ) {
    const scope: Scope | undefined = scopes[at];
    if (scope === undefined) break;
    if (scope.carrier !== null)
      segments.push(
        `${scope.carrier.node === null ? 'default' : `node[${scope.carrier.node}]`}.${scope.carrier.attribute.slice(0, 40)}`,
      );
    else
      root =
        scope.kind === 'function'
          ? `function ${quoted(scope.name)}`
          : scope.kind === 'training'
            ? 'training graph'
            : 'graph';
    at = scope.parent;
  }
  segments.reverse();
  if (segments.length > PATH_SEGMENTS)
    segments.splice(2, segments.length - 4, `… ${segments.length - 4} more …`);
  return [root, ...segments].join('/');
}

/** `graph/node[3] "Gemm_0"`. */
export function nodePath(scopes: readonly Scope[], scope: number, node: number): string {
  const name = scopes[scope]?.nodes[node]?.name ?? '';
  return `${scopePath(scopes, scope)}/node[${node}]${name === '' ? '' : ` ${quoted(name)}`}`;
}

/** `graph initializer "w"`, `graph/node[0] attribute "value"`. */
export function tensorPath(scopes: readonly Scope[], tensor: TensorFact): string {
  const holder =
    tensor.node === null ? scopePath(scopes, tensor.scope) : nodePath(scopes, tensor.scope, tensor.node);
  return `${holder} ${tensor.slot}${tensor.name === '' ? '' : ` ${quoted(tensor.name)}`}`;
}

/** Runtimes that answer only tensors cannot answer a ZipMap's list of dictionaries; the tensor it is made of they can. */
import { type ClassLabels, classLabelsOf } from './class-labels.ts';
import { editGraph, GRAPH, graphFields, nameOf, nodeField, nodeParts, tensorValue } from './graph-parts.ts';
import { WireFault } from './wire.ts';

const FLOAT = 1;

/** A model whose ZipMap outputs are the tensors [N, C] that went into them, under the same names. */
export interface UnzippedModel {
  readonly bytes: Uint8Array;
  /** Classes of each such output, in the order of its columns. */
  readonly classes: ReadonlyMap<string, ClassLabels>;
}

/**
 * The model without its ZipMap outputs, to be run and never to be kept: the stored bytes stay what the digest is of.
 * Null where no graph output is made by a ZipMap, and for bytes that are no model: what they are the runtime says.
 */
export function unzipMaps(model: Uint8Array): UnzippedModel | null {
  try {
    return unzipped(model);
  } catch (error) {
    if (error instanceof WireFault) return null;
    throw error;
  }
}

function unzipped(model: Uint8Array): UnzippedModel | null {
  const outputs = new Set<string>();
  const zipped = new Map<string, { readonly from: string; readonly classes: ClassLabels | null }>();
  for (const { number, content } of graphFields(model)) {
    if (number === GRAPH.output) outputs.add(nameOf(content));
    if (number !== GRAPH.node) continue;
    const { type, domain, inputs, outputs: made, attributes } = nodeParts(content);
    const [from] = inputs;
    const [to] = made;
    if (type !== 'ZipMap' || domain !== 'ai.onnx.ml' || from === undefined || to === undefined) continue;
    const classes = attributes.map(classLabelsOf).find((labels) => labels !== null) ?? null;
    zipped.set(to, { from, classes });
  }
  for (const name of zipped.keys()) if (!outputs.has(name)) zipped.delete(name);
  if (zipped.size === 0) return null;

  const bytes = editGraph(model, ({ number, content, bytes: field }) => {
    if (number === GRAPH.node) {
      const { type, outputs: made } = nodeParts(content);
      const to = made[0] ?? '';
      const source = type === 'ZipMap' ? zipped.get(to) : undefined;
      return source === undefined ? field : nodeField('Identity', [source.from], [to]);
    }
    if (number !== GRAPH.output) return field;
    const name = nameOf(content);
    const source = zipped.get(name);
    return source === undefined
      ? field
      : tensorValue(GRAPH.output, name, FLOAT, [null, source.classes?.labels.length ?? null]);
  });
  const classes = new Map<string, ClassLabels>();
  for (const [name, { classes: labels }] of zipped) if (labels !== null) classes.set(name, labels);
  return { bytes, classes };
}

import type { Decoded } from './decode.ts';
import { elementTypeName } from './element-types.ts';
import type { RawAttribute, RawEntry, RawGraph, RawModel, RawNode } from './raw-model.ts';
import {
  type FunctionFact,
  type NodeFact,
  type OnnxFacts,
  type OnnxReading,
  quoted,
  type Scope,
  scopePath,
  type TensorFact,
  type TextFact,
} from './reading.ts';
import { sparseFacts, tensorFact } from './tensor-facts.ts';
import { onnxValueOf } from './values.ts';

/** ONNX's own domain has two spellings. */
export function canonicalDomain(domain: string): string {
  return domain === 'ai.onnx' ? '' : domain;
}

interface PendingScope {
  readonly kind: Scope['kind'];
  readonly parent: number | null;
  readonly carrier: Scope['carrier'];
  readonly name: string;
  readonly depth: number;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly graph: RawGraph | null;
  readonly nodes: readonly RawNode[];
  /** Default values of a function's attributes: tensors and graphs hide there as well as in nodes. */
  readonly defaults: readonly RawAttribute[];
}

const NONE: readonly never[] = [];

/** Walks the decoded model with a work list, never by recursion, and gathers its summary and the facts for the scan. */
export function collect(model: RawModel, graph: RawGraph, decoded: Decoded, sizeBytes: number): OnnxReading {
  const scopes: Scope[] = [];
  const functions: FunctionFact[] = [];
  const tensors: TensorFact[] = [];
  const texts: TextFact[] = [];
  const operators = new Map<string, { domain: string; type: string; count: number }>();
  let nodeCount = 0;
  let initializerCount = 0;
  let parameterCount = 0;
  let maxDepth = 0;

  const pending: PendingScope[] = [graphScope(graph, 'graph', null, null, 1)];
  let trainingGraphs = 0;
  for (const training of model.training) {
    for (const part of [training.initialization, training.algorithm]) {
      if (part === null) continue;
      trainingGraphs += 1;
      pending.push(graphScope(part, 'training', null, null, 1));
    }
  }
  const firstFunction = pending.length;
  for (const body of model.functions) {
    pending.push({
      kind: 'function',
      parent: null,
      carrier: null,
      name: body.name,
      depth: 1,
      inputs: body.inputs,
      outputs: body.outputs,
      graph: null,
      nodes: body.nodes,
      defaults: body.attributes,
    });
  }

  // `pending` grows while it is walked; a scope's index in it is its index in `scopes`.
  for (let index = 0; index < pending.length; index += 1) {
    const scope = pending[index];
    if (scope === undefined) break;
    maxDepth = Math.max(maxDepth, scope.depth);
    const initializers: string[] = [];
    for (const tensor of scope.graph?.initializers ?? NONE) {
      const fact = tensorFact(tensor, index, null, 'initializer', null);
      tensors.push(fact);
      initializers.push(tensor.name);
      parameterCount += Math.max(0, fact.elements);
    }
    for (const sparse of scope.graph?.sparseInitializers ?? NONE) {
      const facts = sparseFacts(sparse, index, null, 'sparse initializer');
      tensors.push(...facts);
      initializers.push(sparse.values?.name ?? '');
      // Trained values of a sparse tensor are those it stores, not those it unfolds to.
      parameterCount += Math.max(0, facts[0]?.elements ?? 0);
    }
    initializerCount += initializers.length;
    const nodes: NodeFact[] = [];
    for (const [position, node] of scope.nodes.entries()) {
      const domain = canonicalDomain(node.domain);
      const held = attributesOf(node.attributes ?? NONE, index, position, scope.depth, pending);
      for (const fact of held.tensors) tensors.push(fact);
      if (domain === 'ai.onnx.ml') parameterCount += held.trainedValues;
      nodes.push({
        name: node.name,
        domain,
        type: node.type,
        overload: node.overload,
        inputs: node.inputs ?? NONE,
        outputs: node.outputs ?? NONE,
        texts: held.texts,
      });
      const key = `${domain}\0${node.type}`;
      const operator = operators.get(key);
      if (operator === undefined) operators.set(key, { domain, type: node.type, count: 1 });
      else operator.count += 1;
    }
    for (const fact of attributesOf(scope.defaults, index, null, scope.depth, pending).tensors)
      tensors.push(fact);
    nodeCount += nodes.length;
    scopes.push({
      kind: scope.kind,
      parent: scope.parent,
      carrier: scope.carrier,
      name: scope.name,
      depth: scope.depth,
      inputs: scope.inputs,
      outputs: scope.outputs,
      initializers,
      nodes,
    });
    if (scope.graph !== null && (scope.graph.docString !== '' || scope.graph.metadata !== null)) {
      gatherTexts(texts, scopePath(scopes, index), scope.graph.docString, scope.graph.metadata ?? NONE);
    }
  }

  for (const [position, body] of model.functions.entries()) {
    const index = firstFunction + position;
    functions.push({
      domain: canonicalDomain(body.domain),
      name: body.name,
      overload: body.overload,
      scope: index,
    });
    gatherTexts(texts, `function ${quoted(body.name)}`, body.docString, body.metadata);
  }
  gatherTexts(texts, 'model', model.docString, model.metadata);

  const initialized = new Set(scopes[0]?.initializers ?? NONE);
  const facts: OnnxFacts = {
    scopes,
    functions,
    tensors,
    texts,
    trainingGraphs,
    opsets: [
      ...model.opsets.map((opset) => ({
        where: 'model',
        domain: canonicalDomain(opset.domain),
        version: opset.version,
      })),
      ...model.functions.flatMap((body) =>
        body.opsets.map((opset) => ({
          where: `function ${quoted(body.name)}`,
          domain: canonicalDomain(opset.domain),
          version: opset.version,
        })),
      ),
    ],
    metadataKeys: model.metadata.map((entry) => entry.key),
    unknownFields: decoded.unknownFields,
    repeatedFields: decoded.repeatedFields,
  };
  return {
    facts,
    summary: {
      irVersion: model.irVersion ?? 0,
      producerName: model.producerName,
      producerVersion: model.producerVersion,
      modelVersion: model.modelVersion,
      docString: model.docString,
      graphName: graph.name,
      opsets: model.opsets.map((opset) => ({
        domain: canonicalDomain(opset.domain),
        version: opset.version,
      })),
      operators: [...operators.values()].sort(
        (a, b) => compareText(a.domain, b.domain) || compareText(a.type, b.type),
      ),
      nodeCount,
      functionCount: model.functions.length,
      maxDepth,
      // Before IR version 4 every initializer was an input too; what a caller feeds is the rest.
      inputs: graph.inputs.filter((value) => !initialized.has(value.name)).map(onnxValueOf),
      outputs: graph.outputs.map(onnxValueOf),
      initializerCount,
      parameterCount: Math.min(parameterCount, Number.MAX_SAFE_INTEGER),
      metadata: Object.fromEntries(model.metadata.map((entry) => [entry.key, entry.value])),
      externalData: tensors.flatMap((tensor) =>
        tensor.external === null
          ? []
          : [
              {
                tensor: tensor.name,
                keys: Object.fromEntries(tensor.external.map((entry) => [entry.key, entry.value])),
              },
            ],
      ),
      sizeBytes,
    },
  };
}

/** By code unit, so that the order is the same on every machine. */
function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function graphScope(
  graph: RawGraph,
  kind: Scope['kind'],
  parent: number | null,
  carrier: Scope['carrier'],
  depth: number,
): PendingScope {
  return {
    kind,
    parent,
    carrier,
    name: graph.name,
    depth,
    graph,
    nodes: graph.nodes,
    defaults: NONE,
    inputs: graph.inputs.map((value) => value.name),
    outputs: graph.outputs.map((value) => value.name),
  };
}

interface Held {
  readonly tensors: readonly TensorFact[];
  readonly texts: NodeFact['texts'];
  /** Elements of float lists, and of floating-point tensors: what ai.onnx.ml operators keep their trained values in. */
  readonly trainedValues: number;
}

const NOTHING_HELD: Held = { tensors: NONE, texts: NONE, trainedValues: 0 };
const FLOATING = new Set(['float', 'double', 'float16', 'bfloat16']);

function attributesOf(
  attributes: readonly RawAttribute[],
  scope: number,
  node: number | null,
  depth: number,
  pending: PendingScope[],
): Held {
  if (attributes.length === 0) return NOTHING_HELD;
  const tensors: TensorFact[] = [];
  const texts: { name: string; text: string; bytes: number }[] = [];
  let trainedValues = 0;
  for (const attribute of attributes) {
    trainedValues += attribute.floats;
    if (attribute.textBytes > 0)
      texts.push({ name: attribute.name, text: attribute.text, bytes: attribute.textBytes });
    const slot = `attribute ${quoted(attribute.name)}`;
    for (const tensor of [attribute.tensor, ...(attribute.tensors ?? NONE)]) {
      if (tensor === null) continue;
      const fact = tensorFact(tensor, scope, node, slot, null);
      tensors.push(fact);
      if (FLOATING.has(elementTypeName(tensor.dataType))) trainedValues += Math.max(0, fact.elements);
    }
    for (const sparse of [attribute.sparse, ...(attribute.sparses ?? NONE)]) {
      if (sparse !== null) for (const fact of sparseFacts(sparse, scope, node, slot)) tensors.push(fact);
    }
    for (const graph of [attribute.graph, ...(attribute.graphs ?? NONE)]) {
      if (graph !== null)
        pending.push(graphScope(graph, 'graph', scope, { node, attribute: attribute.name }, depth + 1));
    }
  }
  return { tensors, texts, trainedValues };
}

function gatherTexts(
  texts: TextFact[],
  where: string,
  docString: string,
  metadata: readonly RawEntry[],
): void {
  if (docString !== '') texts.push({ where: `${where} doc string`, text: docString });
  for (const entry of metadata)
    texts.push({
      where: `${where === 'model' ? '' : `${where} `}metadata ${quoted(entry.key)}`,
      text: `${entry.key}\n${entry.value}`,
    });
}

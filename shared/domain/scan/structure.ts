import { elementBits, elementTypeName } from '../onnx/element-types.ts';
import { quoted, type Scope, scopePath, tensorPath } from '../onnx/reading.ts';
import { NEWEST_OPSET } from './domains.ts';
import type { ScanRule } from './rule.ts';

const DEEP = 8;
const VERY_DEEP = 16;
const MANY_NODES = 50_000;
/** Elements of one tensor that no detector has: 2^31, past which 32-bit sizes wrap. */
const HUGE_ELEMENTS = 2 ** 31;
/** A sparse tensor that unfolds past this many elements (1 GiB of floats) from a thousandth of them. */
const DENSE_ELEMENTS = 2 ** 28;
const DENSE_RATIO = 1000;

/** Newest IR version the bundled runtime accepts. */
export const NEWEST_IR = 13;

export const SIZE_AND_DEPTH: ScanRule = {
  id: 'size-and-depth',
  severity: 'high',
  title: 'Unusually deep or large graph',
  reference: '',
  *run({ summary }) {
    if (summary.maxDepth > DEEP) {
      yield {
        where: 'graph',
        severity: summary.maxDepth > VERY_DEEP ? 'high' : 'medium',
        detail: `Graphs are nested ${summary.maxDepth} levels deep; runtimes walk them by recursion.`,
      };
    }
    if (summary.nodeCount > MANY_NODES)
      yield { where: 'graph', severity: 'medium', detail: `${summary.nodeCount} nodes.` };
  },
};

export const OPSET_RANGE: ScanRule = {
  id: 'opset-range',
  severity: 'medium',
  title: 'Operator set or IR version out of range',
  reference: '',
  *run({ summary, facts }) {
    if (summary.irVersion > NEWEST_IR)
      yield { where: 'model', detail: `IR version ${summary.irVersion}; the newest known is ${NEWEST_IR}.` };
    const seen = new Map<string, number>();
    for (const { where, domain, version } of facts.opsets) {
      const newest = NEWEST_OPSET.get(domain);
      const shown = domain === '' ? 'ai.onnx' : domain;
      if (version < 1 || version > (newest ?? Number.MAX_SAFE_INTEGER)) {
        yield {
          where: `${where} opset import ${quoted(shown)}`,
          detail: `Version ${version}${newest === undefined ? '' : `; the runtime has 1 to ${newest}`}.`,
        };
      }
      const key = `${where}\0${domain}`;
      const before = seen.get(key);
      if (before !== undefined && before !== version)
        yield {
          where: `${where} opset import ${quoted(shown)}`,
          detail: `Imported as version ${before} and as version ${version}: readers disagree about which one counts.`,
        };
      seen.set(key, version);
    }
    const imported = new Set(facts.opsets.map((opset) => opset.domain));
    for (const { domain } of summary.operators) {
      if (imported.has(domain) || facts.functions.some((body) => body.domain === domain)) continue;
      imported.add(domain);
      // Before IR version 3 there were no imports.
      if (summary.irVersion >= 3)
        yield {
          where: 'model',
          detail: `Operators of ${quoted(domain === '' ? 'ai.onnx' : domain)} are used and the set is not imported.`,
        };
    }
  },
};

/** Every name a scope defines. */
function definedNames(scope: Scope): Set<string> {
  const names = new Set<string>([...scope.inputs, ...scope.initializers]);
  for (const node of scope.nodes) for (const output of node.outputs) names.add(output);
  return names;
}

export const DUPLICATE_NAMES: ScanRule = {
  id: 'duplicate-names',
  severity: 'high',
  title: 'Name defined twice',
  reference: '',
  *run({ facts }) {
    for (const [index, scope] of facts.scopes.entries()) {
      const inputs = new Set<string>();
      for (const name of scope.inputs) {
        if (name !== '' && inputs.has(name))
          yield {
            where: `${scopePath(facts.scopes, index)} input ${quoted(name)}`,
            detail: 'Two inputs have this name.',
          };
        inputs.add(name);
      }
      const initializers = new Set<string>();
      for (const name of scope.initializers) {
        if (name !== '' && initializers.has(name))
          yield {
            where: `${scopePath(facts.scopes, index)} initializer ${quoted(name)}`,
            detail: 'Two initializers have this name: readers disagree about which one counts.',
          };
        initializers.add(name);
      }
      const outputs = new Set<string>();
      for (const [position, node] of scope.nodes.entries()) {
        for (const name of node.outputs) {
          if (name === '') continue;
          if (outputs.has(name) || inputs.has(name) || initializers.has(name)) {
            yield {
              where: `${scopePath(facts.scopes, index)}/node[${position}]`,
              detail: `Its output ${quoted(name)} is defined elsewhere in the same graph: which value counts depends on the runtime.`,
            };
          }
          outputs.add(name);
        }
      }
    }
    const functions = new Set<string>();
    for (const body of facts.functions) {
      const key = `${body.domain}\0${body.name}\0${body.overload}`;
      if (functions.has(key))
        yield {
          where: `function ${quoted(body.name)}`,
          detail: 'Two functions have this name: readers disagree about which one is called.',
        };
      functions.add(key);
    }
    const keys = new Set<string>();
    for (const key of facts.metadataKeys) {
      if (keys.has(key))
        yield { where: `metadata ${quoted(key)}`, severity: 'low', detail: 'The key comes twice.' };
      keys.add(key);
    }
  },
};

export const DANGLING_NAMES: ScanRule = {
  id: 'dangling-names',
  severity: 'medium',
  title: 'Name that nothing defines',
  reference: '',
  *run({ facts }) {
    const defined = facts.scopes.map(definedNames);
    const isDefined = (start: number, name: string): boolean => {
      for (let at: number | null = start; at !== null; at = facts.scopes[at]?.parent ?? null)
        if (defined[at]?.has(name)) return true;
      return false;
    };
    for (const [index, scope] of facts.scopes.entries()) {
      // Training graphs also see the main graph's initializers and global names.
      if (rootKind(facts.scopes, index) === 'training') continue;
      for (const [position, node] of scope.nodes.entries()) {
        for (const name of node.inputs) {
          if (name !== '' && !isDefined(index, name))
            yield {
              where: `${scopePath(facts.scopes, index)}/node[${position}]`,
              detail: `Its input ${quoted(name)} is neither computed nor given.`,
            };
        }
      }
      for (const name of scope.outputs) {
        if (name !== '' && !isDefined(index, name))
          yield {
            where: `${scopePath(facts.scopes, index)} output ${quoted(name)}`,
            detail: 'No node computes it.',
          };
      }
    }
  },
};

function rootKind(scopes: readonly Scope[], index: number): Scope['kind'] {
  let at = index;
  for (let parent = scopes[at]?.parent ?? null; parent !== null; parent = scopes[at]?.parent ?? null)
    at = parent;
  return scopes[at]?.kind ?? 'graph';
}

export const HUGE_DIMENSIONS: ScanRule = {
  id: 'huge-dimensions',
  severity: 'high',
  title: 'Impossible or huge shape',
  reference: 'CVE-2026-34445',
  *run({ summary, facts }) {
    for (const tensor of facts.tensors) {
      const where = (): string => tensorPath(facts.scopes, tensor);
      if (tensor.elements < 0 || tensor.denseElements === -1)
        yield { where: where(), detail: 'A dimension is negative.' };
      else if (tensor.elements > HUGE_ELEMENTS)
        yield { where: where(), detail: `Its shape has ${tensor.elements.toPrecision(3)} elements.` };
      else if (
        tensor.denseElements !== null &&
        tensor.denseElements > DENSE_ELEMENTS &&
        tensor.denseElements > DENSE_RATIO * tensor.elements
      ) {
        yield {
          where: where(),
          detail: `${tensor.elements} stored values unfold to ${tensor.denseElements.toPrecision(3)}.`,
        };
      }
    }
    for (const value of [...summary.inputs, ...summary.outputs]) {
      for (const size of value.shape ?? []) {
        if (typeof size !== 'number') continue;
        if (size < 0)
          yield {
            where: `value ${quoted(value.name)}`,
            severity: 'low',
            detail: `A dimension of ${size}: some old exporters mean "open" by it.`,
          };
        else if (size > HUGE_ELEMENTS)
          yield {
            where: `value ${quoted(value.name)}`,
            severity: 'medium',
            detail: `A dimension of ${size}.`,
          };
      }
    }
  },
};

export const TENSOR_SIZE: ScanRule = {
  id: 'tensor-size',
  severity: 'high',
  title: 'Tensor whose bytes do not fit its shape',
  reference: '',
  *run({ facts }) {
    for (const tensor of facts.tensors) {
      // An attribute left at its default: no type, no shape, no data.
      if (tensor.dataType === 0 && tensor.dims.length === 0 && tensor.capacity === 0) continue;
      const type = elementTypeName(tensor.dataType);
      if (type === 'unknown' || type === 'undefined') {
        yield {
          where: tensorPath(facts.scopes, tensor),
          severity: 'medium',
          detail: `Element type ${tensor.dataType} is none that ONNX has.`,
        };
        continue;
      }
      if (tensor.capacity === null || tensor.elements < 0) continue;
      if (tensor.elements > tensor.capacity) {
        yield {
          where: tensorPath(facts.scopes, tensor),
          detail: `Its shape needs ${tensor.elements} values of type ${type}; the file holds at most ${tensor.capacity}.`,
        };
      } else if (
        tensor.isExact &&
        tensor.capacity - tensor.elements >= Math.max(1, 8 / (elementBits(tensor.dataType) || 8))
      ) {
        yield {
          where: tensorPath(facts.scopes, tensor),
          severity: 'medium',
          detail: `The file holds ${tensor.capacity} values of type ${type}; its shape shows ${tensor.elements} of them.`,
        };
      }
    }
  },
};

export const HIDDEN_FIELDS: ScanRule = {
  id: 'hidden-fields',
  severity: 'high',
  title: 'Content that readers of the format pass over or read differently',
  reference: '',
  *run({ facts }) {
    for (const { message, field, count } of facts.repeatedFields) {
      yield {
        where: message,
        detail: `Field ${field} may come once and comes ${count} times in one message: readers disagree about which one counts.`,
      };
    }
    for (const { message, field, count, bytes } of facts.unknownFields) {
      const what =
        message === 'other' ? 'Further unknown fields' : `Field ${field}, which ONNX does not define,`;
      yield {
        where: message,
        severity: bytes > 4096 ? 'medium' : 'low',
        detail: `${what} ${message === 'other' ? 'come' : 'comes'} ${count} time${count === 1 ? '' : 's'}, ${bytes} bytes in all.`,
      };
    }
    if (facts.trainingGraphs > 0)
      yield {
        where: 'model',
        severity: 'low',
        detail: `${facts.trainingGraphs} training graphs, which a detector in service does not need.`,
      };
  },
};

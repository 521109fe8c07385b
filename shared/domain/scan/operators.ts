import { nodePath, type OnnxFacts, quoted } from '../onnx/reading.ts';
import { isOnnxDomain, VENDOR_DOMAIN } from './domains.ts';
import { functionIndex, resolveCall } from './functions.ts';
import type { Hit, ScanRule } from './rule.ts';

/** Operators that run Python source or a Python callable, by whole name: a part of a name or of the weights proves nothing. */
const PYTHON_OPERATORS: ReadonlySet<string> = new Set([
  'PyOp',
  'PythonOp',
  'PythonOpGrad',
  'PyFunc',
  'PyCustomOp',
  'PythonScript',
]);

const LOOPS: ReadonlySet<string> = new Set(['Loop', 'Scan']);

export const CUSTOM_DOMAINS: ScanRule = {
  id: 'custom-domain',
  severity: 'high',
  title: 'Operators from outside ONNX',
  reference: '',
  *run({ facts }) {
    const defined = functionIndex(facts);
    const used = new Map<string, { where: string; types: Set<string>; count: number }>();
    for (const [index, scope] of facts.scopes.entries()) {
      for (const [position, node] of scope.nodes.entries()) {
        // A call of a function that this file defines is judged by that function's own nodes.
        if (isOnnxDomain(node.domain) || resolveCall(defined, node) !== null) continue;
        let entry = used.get(node.domain);
        if (entry === undefined) {
          entry = { where: nodePath(facts.scopes, index, position), types: new Set(), count: 0 };
          used.set(node.domain, entry);
        }
        entry.count += 1;
        if (entry.types.size < 10) entry.types.add(node.type);
      }
    }
    for (const [domain, { where, types, count }] of used) {
      const list = [...types].map(quoted).join(', ');
      if (domain === VENDOR_DOMAIN) {
        yield {
          where,
          severity: 'medium',
          detail: `${count} nodes use onnxruntime's own operators ${list}: other runtimes do not have them.`,
        };
      } else
        yield {
          where,
          detail: `${count} nodes of domain ${quoted(domain)} (${list}) need native code that is not in this file and was not reviewed.`,
        };
    }
    const localDomains = new Set(facts.functions.map((body) => body.domain));
    const mentioned = new Set<string>();
    for (const { where, domain } of facts.opsets) {
      if (isOnnxDomain(domain) || used.has(domain) || localDomains.has(domain) || mentioned.has(domain))
        continue;
      mentioned.add(domain);
      yield {
        where: `${where} opset import ${quoted(domain)}`,
        severity: domain === VENDOR_DOMAIN ? 'info' : 'low',
        detail: 'The operator set is imported and no node uses it.',
      };
    }
  },
};

export const PYTHON_OPS: ScanRule = {
  id: 'python-operator',
  severity: 'critical',
  title: 'Operator that runs Python code',
  reference: '',
  *run({ facts }) {
    for (const [index, scope] of facts.scopes.entries()) {
      for (const [position, node] of scope.nodes.entries()) {
        if (PYTHON_OPERATORS.has(node.type)) {
          yield {
            where: nodePath(facts.scopes, index, position),
            detail: `${quoted(node.type)} of domain ${quoted(node.domain)} calls the Python interpreter while the model runs.`,
          };
        }
      }
    }
  },
};

export const CONTEXT_OPS: ScanRule = {
  id: 'external-context',
  severity: 'high',
  title: 'Node that brings or loads a compiled program',
  reference: '',
  *run({ facts }) {
    for (const [index, scope] of facts.scopes.entries()) {
      for (const [position, node] of scope.nodes.entries()) {
        if (node.type !== 'EPContext') continue;
        const context = node.texts.find((attribute) => attribute.name === 'ep_cache_context');
        yield {
          where: nodePath(facts.scopes, index, position),
          detail: `An execution provider would load ${context === undefined ? 'a precompiled context' : `${context.bytes} bytes of compiled code or the file named there`}, which cannot be inspected.`,
        };
      }
    }
  },
};

export const LARGE_ATTRIBUTES: ScanRule = {
  id: 'opaque-attribute',
  severity: 'medium',
  title: 'Large opaque string attribute',
  reference: '',
  *run({ facts }) {
    for (const [index, scope] of facts.scopes.entries()) {
      for (const [position, node] of scope.nodes.entries()) {
        for (const attribute of node.texts) {
          if (attribute.bytes <= 1024 * 1024) continue;
          yield {
            where: nodePath(facts.scopes, index, position),
            detail: `Attribute ${quoted(attribute.name)} is a string of ${attribute.bytes} bytes.`,
          };
        }
      }
    }
  },
};

/** For each scope, how many Loop or Scan bodies it is inside. Parents come before their children. */
function loopDepths(facts: OnnxFacts): number[] {
  const depths: number[] = [];
  for (const scope of facts.scopes) {
    const outer = scope.parent === null ? 0 : (depths[scope.parent] ?? 0);
    const carrier =
      scope.parent === null || scope.carrier?.node == null
        ? undefined
        : facts.scopes[scope.parent]?.nodes[scope.carrier.node];
    depths.push(outer + (carrier !== undefined && isLoop(carrier) ? 1 : 0));
  }
  return depths;
}

function isLoop(node: { readonly domain: string; readonly type: string }): boolean {
  return node.domain === '' && LOOPS.has(node.type);
}

export const CONTROL_FLOW: ScanRule = {
  id: 'control-flow',
  severity: 'medium',
  title: 'Loops in the graph',
  reference: '',
  *run({ facts }) {
    const depths = loopDepths(facts);
    const single: Hit[] = [];
    for (const [index, scope] of facts.scopes.entries()) {
      for (const [position, node] of scope.nodes.entries()) {
        if (!isLoop(node)) continue;
        const depth = (depths[index] ?? 0) + 1;
        const where = nodePath(facts.scopes, index, position);
        if (depth > 1)
          yield {
            where,
            detail: `${node.type} inside ${depth - 1} other loop${depth > 2 ? 's' : ''}: the time of one prediction multiplies.`,
          };
        else if (single.length < 10)
          single.push({
            where,
            severity: 'info',
            detail: `${node.type}: the time of one prediction depends on its input.`,
          });
      }
    }
    yield* single;
  },
};

import { type NodeFact, type OnnxFacts, quoted } from '../onnx/reading.ts';
import { isOnnxDomain, VENDOR_DOMAIN } from './domains.ts';
import type { ScanRule } from './rule.ts';

/** Nodes after every function call is replaced by its body, from which on it is a bomb. */
const EXPANDED_NODES = 1_000_000;
/** Runtimes inline by recursion. */
const CALL_DEPTH = 64;

function keyOf(domain: string, name: string, overload: string): string {
  return `${domain}\0${name}\0${overload}`;
}

/** Function by domain, name and overload → its index in `facts.functions`; of duplicates the first. */
export function functionIndex(facts: OnnxFacts): ReadonlyMap<string, number> {
  const index = new Map<string, number>();
  for (const [position, body] of facts.functions.entries()) {
    const key = keyOf(body.domain, body.name, body.overload);
    if (!index.has(key)) index.set(key, position);
  }
  return index;
}

/** The function of this file that a node calls, or null for an operator. */
export function resolveCall(index: ReadonlyMap<string, number>, node: NodeFact): number | null {
  return index.get(keyOf(node.domain, node.type, node.overload)) ?? null;
}

interface CallGraph {
  /** For each function, its callees; one entry per call. Nested graphs belong to the function around them. */
  readonly calls: readonly (readonly number[])[];
  readonly ownNodes: readonly number[];
  readonly mainCalls: readonly number[];
}

function callGraph(facts: OnnxFacts): CallGraph {
  const index = functionIndex(facts);
  const functionOfScope = new Map(facts.functions.map((body, position) => [body.scope, position]));
  const owners: (number | null)[] = [];
  const calls: number[][] = facts.functions.map(() => []);
  const ownNodes: number[] = facts.functions.map(() => 0);
  const mainCalls: number[] = [];
  for (const [position, scope] of facts.scopes.entries()) {
    const owner =
      functionOfScope.get(position) ?? (scope.parent === null ? null : (owners[scope.parent] ?? null));
    owners.push(owner);
    if (owner !== null) ownNodes[owner] = (ownNodes[owner] ?? 0) + scope.nodes.length;
    if (index.size === 0) continue;
    for (const node of scope.nodes) {
      const callee = resolveCall(index, node);
      if (callee !== null) (owner === null ? mainCalls : calls[owner])?.push(callee);
    }
  }
  return { calls, ownNodes, mainCalls };
}

interface Walk {
  readonly cycles: readonly (readonly number[])[];
  /** Nodes of each function once everything it calls is inlined; Infinity in a cycle. */
  readonly expanded: readonly number[];
  readonly depth: readonly number[];
}

/** Depth-first over the call graph with an explicit stack: a cycle is an edge back onto the stack. */
function walkCalls({ calls, ownNodes }: CallGraph): Walk {
  const state: (0 | 1 | 2)[] = calls.map(() => 0);
  const expanded = [...ownNodes];
  const depth = calls.map(() => 1);
  const cycles: number[][] = [];
  for (const start of calls.keys()) {
    if (state[start] !== 0) continue;
    const stack: { at: number; next: number }[] = [{ at: start, next: 0 }];
    state[start] = 1;
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const callee = calls[top.at]?.[top.next];
      if (callee === undefined) {
        state[top.at] = 2;
        stack.pop();
        const caller = stack.at(-1);
        if (caller !== undefined) absorb(caller.at, top.at);
        continue;
      }
      top.next += 1;
      if (state[callee] === 2) absorb(top.at, callee);
      else if (state[callee] === 0) {
        state[callee] = 1;
        stack.push({ at: callee, next: 0 });
      } else {
        expanded[top.at] = Number.POSITIVE_INFINITY;
        if (cycles.length < 20)
          cycles.push([
            ...stack.slice(stack.findIndex((frame) => frame.at === callee)).map((frame) => frame.at),
            callee,
          ]);
      }
    }
  }
  return { cycles, expanded, depth };

  function absorb(caller: number, callee: number): void {
    expanded[caller] = (expanded[caller] ?? 0) + (expanded[callee] ?? 0);
    depth[caller] = Math.max(depth[caller] ?? 1, (depth[callee] ?? 1) + 1);
  }
}

export const FUNCTION_CYCLES: ScanRule = {
  id: 'function-cycle',
  severity: 'critical',
  title: 'Functions that call each other in a circle',
  reference: 'GHSA-7w46-vvrh-m8q5',
  *run({ facts }) {
    if (facts.functions.length === 0) return;
    for (const cycle of walkCalls(callGraph(facts)).cycles) {
      const names = cycle.map((position) => facts.functions[position]?.name ?? '');
      const shown =
        names.length > 8 ? [...names.slice(0, 4), `… ${names.length - 8} more …`, ...names.slice(-4)] : names;
      yield {
        where: `function ${quoted(names[0] ?? '')}`,
        detail: `${shown.map(quoted).join(' → ')}: a runtime that inlines them overflows its stack.`,
      };
    }
  },
};

export const FUNCTION_EXPANSION: ScanRule = {
  id: 'function-expansion',
  severity: 'critical',
  title: 'Functions that unfold to far more than they look',
  reference: '',
  *run({ facts }) {
    if (facts.functions.length === 0) return;
    const graph = callGraph(facts);
    const { expanded, depth } = walkCalls(graph);
    let whole = 0;
    let deepest = 0;
    // Judged for the whole model, and for each function, called or not.
    for (const callee of graph.mainCalls) whole += expanded[callee] ?? 0;
    for (const nodes of expanded) if (Number.isFinite(nodes)) whole = Math.max(whole, nodes);
    for (const levels of depth) deepest = Math.max(deepest, levels);
    if (Number.isFinite(whole) && whole > EXPANDED_NODES) {
      yield {
        where: 'model',
        detail: `Inlining its functions gives ${whole.toPrecision(3)} nodes; the file has ${facts.scopes.reduce((sum, scope) => sum + scope.nodes.length, 0)}.`,
      };
    }
    if (deepest > CALL_DEPTH)
      yield { where: 'model', severity: 'high', detail: `Functions call each other ${deepest} levels deep.` };
  },
};

export const FUNCTION_SHADOWING: ScanRule = {
  id: 'function-shadowing',
  severity: 'high',
  title: 'Function that replaces an operator of ONNX',
  reference: '',
  *run({ facts }) {
    for (const body of facts.functions) {
      if (isOnnxDomain(body.domain) || body.domain === VENDOR_DOMAIN) {
        yield {
          where: `function ${quoted(body.name)}`,
          detail: `It is defined in ${quoted(body.domain === '' ? 'ai.onnx' : body.domain)}: nodes that look like that operator may run this body instead.`,
        };
      }
    }
  },
};

import { readFile } from 'node:fs/promises';
import { type Document, isMap, isNode, isPair, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { SallyportError } from '../../shared/domain/errors.ts';
import { type Policy, policySchema } from '../../shared/domain/policy/policy.ts';

/** A policy file, YAML. What is wrong with it is a usage error that names line and column. */
export async function readPolicyFile(file: string): Promise<Policy> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new SallyportError('usage', `The policy file ${file} cannot be read.`, {
      hint: 'Check the path.',
      cause,
    });
  });
  return parsePolicyText(text, file);
}

/** The same of text; `name` stands before line and column: `policy.yaml:3:12: gates.0.metric: …`. */
export function parsePolicyText(text: string, name: string): Policy {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [broken] = document.errors;
  if (broken !== undefined) throw wrong(name, lines, broken.pos[0], broken.message);
  let value: unknown;
  try {
    // Aliases could unfold into more than there is memory for; a policy needs none.
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    throw wrong(name, lines, 0, error instanceof Error ? error.message : 'it is not plain YAML');
  }
  const parsed = policySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue === undefined) throw wrong(name, lines, 0, 'it is not a policy');
  const where = issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
  throw wrong(name, lines, offsetOf(document, issue), `${where}${issue.message}`);
}

function wrong(name: string, lines: LineCounter, offset: number, message: string): SallyportError {
  const { line, col } = lines.linePos(offset);
  return new SallyportError('usage', `${name}:${line}:${col}: ${message}`, {
    hint: 'Nothing was changed. The format is described by resources/policies/policy.schema.json.',
    facts: { file: name, line, column: col },
  });
}

/** Where in the text an issue is: the unknown key, the value, or what should hold the one that is missing. */
function offsetOf(document: Document, issue: z.core.$ZodIssue): number {
  const path = issue.path.filter((part): part is string | number => typeof part !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    const holder = path.length === 0 ? document.contents : document.getIn(path, true);
    const key = isMap(holder)
      ? holder.items.find((pair) => isScalar(pair.key) && pair.key.value === issue.keys[0])?.key
      : null;
    if (isNode(key) && key.range) return key.range[0];
  }
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
    if (isPair(node) && isNode(node.key) && node.key.range) return node.key.range[0];
  }
  return 0;
}

/** The in-toto statement of OpenSSF Model Signing v1.0: which files, by name and digest, and one root over them. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { SallyportError } from '../../domain/errors.ts';
import { sha256Schema } from '../../domain/model/version.ts';

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
export const PREDICATE_TYPE = 'https://model_signing/signature/v1.0';
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** A signed file: path relative to the directory with `/`, SHA-256 hex. */
export interface Resource {
  readonly name: string;
  readonly digest: string;
}

/** Paths the reference implementation leaves out. Our own check of a directory leaves out nothing. */
const IGNORED_PATHS = ['model.sig', '.git', '.gitattributes', '.github', '.gitignore'];

/** Fields this version of the specification knows. Others in the predicate are ignored, as it demands. */
export const statementSchema = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.tuple([z.object({ name: z.string().max(1000), digest: z.object({ sha256: sha256Schema }) })]),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: z.object({
    serialization: z.object({
      method: z.literal('files'),
      hash_type: z.literal('sha256'),
      allow_symlinks: z.literal(false),
      ignore_paths: z.array(z.string().max(1000)).max(1000).optional(),
    }),
    resources: z
      .array(
        z.object({ name: z.string().min(1).max(1000), algorithm: z.literal('sha256'), digest: sha256Schema }),
      )
      .min(1)
      .max(100_000),
  }),
});
export type Statement = z.infer<typeof statementSchema>;

/** Order of Unicode code points, as the specification sorts; JavaScript's own order is that of UTF-16 units. */
export function compareCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a, 'utf8'), Buffer.from(b, 'utf8'));
}

/** Order by path parts, as the reference implementation sorts. */
function comparePathParts(a: string, b: string): number {
  const left = a.split('/');
  const right = b.split('/');
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const order = compareCodePoints(left[at] ?? '', right[at] ?? '');
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** Whether names rise strictly in one of the two orders in use; strictly, so none comes twice. */
function isOrdered(names: readonly string[]): boolean {
  return [compareCodePoints, comparePathParts].some((compare) =>
    names.every((name, at) => at === 0 || compare(names[at - 1] ?? '', name) < 0),
  );
}

/** Whether a name stays inside its directory on every platform: no `..`, no root, no backslash, drive or control character. */
export function isPlainRelativePath(name: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (name === '' || /[\\:\u0000-\u001f\u007f]/.test(name) || !name.isWellFormed()) return false;
  return name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

/** SHA-256 over the raw digests in listed order. */
export function rootOf(resources: readonly Resource[]): string {
  const hash = createHash('sha256');
  for (const { digest } of resources) hash.update(Buffer.from(digest, 'hex'));
  return hash.digest('hex');
}

/**
 * The statement for a directory called `name`. Resources are sorted here. `input.invalid` for no files, a file named
 * twice, or a name that leaves the directory.
 */
export function buildStatement(input: {
  readonly name: string;
  readonly resources: readonly Resource[];
}): Statement {
  const resources = [...input.resources].sort((a, b) => compareCodePoints(a.name, b.name));
  const statement: Statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name: input.name, digest: { sha256: rootOf(resources) } }],
    predicateType: PREDICATE_TYPE,
    predicate: {
      serialization: {
        method: 'files',
        hash_type: 'sha256',
        allow_symlinks: false,
        ignore_paths: [...IGNORED_PATHS],
      },
      resources: resources.map(({ name, digest }) => ({ name, algorithm: 'sha256', digest })),
    },
  };
  const problem = statementProblem(statement);
  if (problem)
    throw new SallyportError('input.invalid', `This directory cannot be signed: ${problem}.`, {
      hint: 'Nothing was signed.',
    });
  return statement;
}

/** What is wrong with a statement beyond its shape, or null. */
export function statementProblem(statement: Statement): string | null {
  const { resources } = statement.predicate;
  const names = resources.map(({ name }) => name);
  if (names.length === 0) return 'it names no files';
  const outside = names.find((name) => !isPlainRelativePath(name));
  if (outside !== undefined) return `${JSON.stringify(outside)} is not a path inside the directory`;
  if (new Set(names).size !== names.length) return 'a file is named twice';
  if (!isOrdered(names)) return 'its files are not in canonical order';
  if (rootOf(resources) !== statement.subject[0].digest.sha256)
    return 'its root is not the digest of its files';
  return null;
}

/** Reads the project's sources with a real parser: which modules a file imports, how, and what its comments say. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative, sep } from 'node:path';
import { parseSync } from 'vite';

export const ROOT = join(import.meta.dirname, '../..');

/** Folders that hold sources of ours, and the files beside them. */
const SOURCE_FOLDERS = ['shared', 'electron', 'serving', 'renderer', 'resources', 'test', 'bench'];
const ROOT_FILES = ['electron.vite.config.ts', 'vitest.config.ts'];
const NOT_SOURCES = new Set(['node_modules', 'out', 'dist', '.artifacts', 'screenshots']);

/** One import of a file. `runtime` is false where the type checker alone follows it. */
export interface Import {
  /** As written, or null where a dynamic import names no literal. */
  readonly specifier: string | null;
  readonly runtime: boolean;
  /** Only evaluated when a call reaches it: no part of a cycle at start. */
  readonly dynamic: boolean;
  readonly line: number;
}

export interface SourceFile {
  /** Relative to the root, with `/`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  readonly comments: readonly { readonly value: string; readonly line: number }[];
  /** Lines with the type `any`. */
  readonly anyLines: readonly number[];
  /** String literals and template pieces, as the program sees them. */
  readonly strings: readonly { readonly value: string; readonly line: number }[];
  /** `it.only`, `describe.skip`, …, with whether a reason stands beside it. */
  readonly modifiers: readonly TestModifier[];
}

export interface TestModifier {
  readonly name: 'only' | 'skip' | 'todo' | 'fails' | 'skipIf' | 'runIf';
  readonly line: number;
  /** `describe.skipIf(why !== null)`: the condition is itself a reason, or null. */
  readonly reasoned: boolean;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return (
    typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
  );
}

function* walk(root: unknown): Generator<Node> {
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    const value = stack.pop();
    if (Array.isArray(value)) {
      for (let index = value.length - 1; index >= 0; index--) stack.push(value[index]);
    } else if (isNode(value)) {
      yield value;
      for (const child of Object.values(value))
        if (typeof child === 'object' && child !== null) stack.push(child);
    }
  }
}

function literal(node: unknown): string | null {
  if (!isNode(node)) return null;
  if (node.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node.type === 'TemplateLiteral' && (node.quasis as readonly unknown[]).length === 1) {
    const piece = (node.quasis as readonly { readonly value: { readonly cooked: string } }[])[0];
    return piece?.value.cooked ?? null;
  }
  return null;
}

const MODIFIERS = ['only', 'skip', 'todo', 'fails', 'skipIf', 'runIf'] as const;
const TEST_FUNCTIONS = new Set(['it', 'test', 'describe', 'suite', 'bench']);

/** What stands at the left end of `a.b.c`, `a.b(x)(y)`. */
function leftmost(node: unknown): string | null {
  let at = node;
  while (isNode(at)) {
    if (at.type === 'Identifier') return typeof at.name === 'string' ? at.name : null;
    at = at.type === 'MemberExpression' ? at.object : at.type === 'CallExpression' ? at.callee : null;
  }
  return null;
}

/** Whether `.skipIf(…)` is called with `NAME !== null`, where NAME holds the reason, or with a platform. */
function reasonedAt(text: string, member: Node): boolean {
  return /^\s*\(\s*(?:\w+ !== null|process\.platform [!=]== '\w+')\s*\)/.test(text.slice(member.end));
}

/** Parses one file. A file the parser refuses is an error, not an empty list. */
export function parseSource(path: string, text: string): SourceFile {
  const parsed = parseSync(path, text, { lang: path.endsWith('.tsx') ? 'tsx' : 'ts', sourceType: 'module' });
  const problem = parsed.errors[0];
  if (problem !== undefined) throw new Error(`${path}: ${problem.message}`);

  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  const lineOf = (offset: number): number => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low + 1;
  };

  const imports: Import[] = [];
  const anyLines: number[] = [];
  const strings: { value: string; line: number }[] = [];
  const modifiers: TestModifier[] = [];

  for (const node of walk(parsed.program)) {
    const line = lineOf(node.start);
    const add = (specifier: string | null, runtime: boolean, dynamic: boolean): void => {
      imports.push({ specifier, runtime, dynamic, line });
    };
    switch (node.type) {
      case 'ImportDeclaration': {
        // Under `verbatimModuleSyntax`, `import { type A }` still loads the module; only `import type` does not.
        add(literal(node.source), node.importKind !== 'type', false);
        break;
      }
      case 'ExportAllDeclaration':
      case 'ExportNamedDeclaration':
        if (isNode(node.source)) add(literal(node.source), node.exportKind !== 'type', false);
        break;
      case 'ImportExpression':
        add(literal(node.source), true, true);
        break;
      case 'TSImportType':
        add(literal(node.source), false, false);
        break;
      case 'TSExternalModuleReference':
        add(literal(node.expression), true, false);
        break;
      case 'CallExpression':
        if (isNode(node.callee) && node.callee.type === 'Identifier' && node.callee.name === 'require') {
          add(literal((node.arguments as readonly unknown[])[0]), true, true);
        }
        break;
      case 'MemberExpression': {
        const property = isNode(node.property) ? node.property.name : null;
        const name = MODIFIERS.find((modifier) => modifier === property);
        const owner = leftmost(node.object);
        if (name !== undefined && owner !== null && TEST_FUNCTIONS.has(owner))
          modifiers.push({ name, line, reasoned: reasonedAt(text, node) });
        break;
      }
      case 'TSAnyKeyword':
        anyLines.push(line);
        break;
      case 'Literal':
        if (typeof node.value === 'string') strings.push({ value: node.value, line });
        break;
      case 'TemplateElement': {
        const value = (node.value as { cooked?: string | null }).cooked;
        if (typeof value === 'string') strings.push({ value, line });
        break;
      }
      case 'JSXText':
        if (typeof node.value === 'string') strings.push({ value: node.value, line });
        break;
    }
  }

  return {
    path,
    text,
    lines: text.endsWith('\n') ? starts.length - 1 : starts.length,
    imports,
    comments: parsed.comments.map((comment) => ({ value: comment.value, line: lineOf(comment.start) })),
    anyLines,
    strings,
    modifiers,
  };
}

/** Where an import leads: a file of ours (path from the root), or a package or built-in module by name. */
export function resolveImport(
  from: string,
  specifier: string,
): { readonly file: string } | { readonly module: string } {
  const bare = specifier.replace(/\?.*$/, '');
  if (bare.startsWith('.'))
    return {
      file: normalize(join(dirname(from), bare))
        .split(sep)
        .join('/'),
    };
  if (bare.startsWith('node:')) return { module: bare };
  const parts = bare.split('/');
  return { module: bare.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? bare) };
}

/** Paths below a folder, relative to the root, sorted. */
export function filesUnder(folder: string, accept: (path: string) => boolean): string[] {
  let entries: import('node:fs').Dirent[];
  try {
    entries = readdirSync(join(ROOT, folder), { withFileTypes: true });
  } catch {
    return [];
  }
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (NOT_SOURCES.has(entry.name)) continue;
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) found.push(...filesUnder(path, accept));
    else if (accept(path)) found.push(path);
  }
  return found;
}

/** Every TypeScript source of the project, parsed. */
export function projectSources(): SourceFile[] {
  const paths = SOURCE_FOLDERS.flatMap((folder) => filesUnder(folder, (path) => /\.tsx?$/.test(path)));
  return [...ROOT_FILES, ...paths].map((path) => parseSource(path, readFileSync(join(ROOT, path), 'utf8')));
}

/** Every text file that people read or a program runs, unparsed: sources, scripts, pages, configuration. */
export function projectTexts(): { readonly path: string; readonly text: string }[] {
  const readable = /\.(tsx?|m?js|cjs|json|ya?ml|md|css|html|sh|desktop|plist)$|(^|\/)\.ci\/run$|\.npmrc$/;
  const folders = [...SOURCE_FOLDERS, 'docs', '.ci'];
  const top = readdirSync(ROOT, { withFileTypes: true })
    .filter((entry) => entry.isFile() && readable.test(entry.name) && entry.name !== 'package-lock.json')
    .map((entry) => entry.name);
  const paths = [...top, ...folders.flatMap((folder) => filesUnder(folder, (path) => readable.test(path)))];
  return paths.map((path) => ({
    path: relative(ROOT, join(ROOT, path)),
    text: readFileSync(join(ROOT, path), 'utf8'),
  }));
}

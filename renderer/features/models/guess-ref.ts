import { modelNameSchema, semverSchema } from '../../../shared/domain/model/version.ts';
import { fileName } from '../../ui/format.ts';

/** Name and version as the file's name suggests them: `phish-url_v1.2.0.onnx` → phish-url, 1.2.0. */
export function guessRef(path: string): { readonly name: string; readonly version: string } {
  const stem = fileName(path).replace(/\.onnx$/i, '');
  const match = /^(.*?)[-_. ]?v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/.exec(stem);
  const version = match?.[2] ?? '1.0.0';
  const name = (match?.[1] ?? stem)
    .replace(/[^a-zA-Z0-9._-]+/g, '-')
    .replace(/^[^a-zA-Z0-9]+|[^a-zA-Z0-9]+$/g, '')
    .slice(0, 100);
  return {
    name: modelNameSchema.safeParse(name).success ? name : 'model',
    version: semverSchema.safeParse(version).success ? version : '1.0.0',
  };
}

/** A JSON string at the beginning of the line, and the rest; the line as it is where there is none. */
function unquoted(text: string): readonly [string | null, string] {
  const quoted = /^"(?:[^"\\]|\\.)*"/.exec(text)?.[0];
  if (quoted === undefined) return [null, text];
  try {
    return [JSON.parse(quoted) as string, text.slice(quoted.length)];
  } catch {
    return [null, text];
  }
}

function readValue(text: string): string | number | boolean {
  const [quoted, rest] = unquoted(text);
  if (quoted !== null && rest === '') return quoted;
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return text !== '' && Number.isFinite(number) ? number : text;
}

/**
 * Lines `name = value` as a record; numbers and true/false become such, and a name or a text in quotes (as JSON writes
 * them) is taken as it is. Lines without `=` are reported.
 */
export function parseParameters(text: string): {
  readonly values: Record<string, string | number | boolean>;
  readonly bad: readonly string[];
} {
  const values: Record<string, string | number | boolean> = {};
  const bad: string[] = [];
  for (const line of text.split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '') continue;
    const [quoted, rest] = unquoted(trimmed);
    const at = rest.indexOf('=');
    const name = quoted ?? rest.slice(0, Math.max(0, at)).trim();
    if (at < 0 || name === '') bad.push(trimmed);
    // Not by assignment: a parameter may be called __proto__.
    else
      Object.defineProperty(values, name, {
        value: readValue(rest.slice(at + 1).trim()),
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return { values, bad };
}

/** The record as lines that read back as the same record. */
export function writeParameters(
  values: Readonly<Record<string, string | number | boolean>> | undefined,
): string {
  const asIs = (name: string, value: string | number | boolean): boolean => {
    if (name !== name.trim() || /[="\n\r]/.test(name)) return false;
    const back = parseParameters(`${name} = ${value}`).values;
    return Object.hasOwn(back, name) && Object.is(back[name], value);
  };
  return Object.entries(values ?? {})
    .map(([name, value]) =>
      asIs(name, value)
        ? `${name} = ${value}`
        : `${JSON.stringify(name)} = ${typeof value === 'string' ? JSON.stringify(value) : value}`,
    )
    .join('\n');
}

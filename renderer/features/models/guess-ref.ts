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

/** Lines `name = value` as a record; numbers and true/false become such. Lines without `=` are reported. */
export function parseParameters(text: string): {
  readonly values: Record<string, string | number | boolean>;
  readonly bad: readonly string[];
} {
  const values: Record<string, string | number | boolean> = {};
  const bad: string[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const at = line.indexOf('=');
    const name = line.slice(0, Math.max(0, at)).trim();
    if (name === '') {
      bad.push(line.trim());
      continue;
    }
    const value = line.slice(at + 1).trim();
    const number = Number(value);
    values[name] =
      value === 'true'
        ? true
        : value === 'false'
          ? false
          : value !== '' && Number.isFinite(number)
            ? number
            : value;
  }
  return { values, bad };
}

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './program.ts';

const DATA = join(ROOT, 'resources/samples/data');

export function sampleModel(version: string): { readonly path: string; readonly bytes: Buffer } {
  const path = join(DATA, `phish-url-${version}.onnx`);
  return { path, bytes: readFileSync(path) };
}

/** Rows of the sample's labelled file, as the model's features. */
export function sampleRows(names: readonly string[], count: number): number[][] {
  const [header = '', ...lines] = readFileSync(join(DATA, 'labelled.csv'), 'utf8').split('\n');
  const places = names.map((name) => header.split(',').indexOf(name));
  return lines.slice(0, count).map((line) => {
    const cells = line.split(',');
    return places.map((place) => Number(cells[place]));
  });
}

import { quoted, type TensorFact, tensorPath } from '../onnx/reading.ts';
import type { ScanRule } from './rule.ts';

/** onnxruntime's own sentinels for "the data is at this address of the process", in both spellings. */
const MEMORY_MARKER = /_ORT_(?:[A-Z_]*_)?MEM_ADDR_/i;
const ALLOWED_KEYS = new Set(['location', 'offset', 'length', 'checksum', 'basepath']);
/** Bytes of the largest side file that is not absurd: 1 TiB. */
const LARGEST = 2 ** 40;

interface Trick {
  readonly what: string;
  readonly reference: string;
}

/** Names every trick in one external-data declaration, with its public reference. */
export function externalDataTricks(
  entries: readonly { readonly key: string; readonly value: string }[],
): Trick[] {
  const tricks: Trick[] = [];
  const keys = new Set<string>();
  for (const { key, value } of entries) {
    if (keys.has(key))
      tricks.push({ what: `the key ${quoted(key)} comes twice`, reference: 'CVE-2026-34445' });
    keys.add(key);
    if (!ALLOWED_KEYS.has(key))
      tricks.push({
        what: `${quoted(key)} is no external-data key (attribute injection)`,
        reference: 'CVE-2026-34445',
      });
    if (key === 'location' || key === 'basepath') tricks.push(...pathTricks(value));
    if (key === 'offset' || key === 'length') {
      const isNumber = /^\d{1,20}$/.test(value);
      if (!isNumber)
        tricks.push({
          what: `${key} ${quoted(value)} is not a number of bytes`,
          reference: 'CVE-2026-34445',
        });
      else if (Number(value) > LARGEST)
        tricks.push({ what: `${key} of ${value} bytes`, reference: 'CVE-2026-34445' });
    }
  }
  if (!keys.has('location')) tricks.push({ what: 'no location is given', reference: '' });
  return tricks;
}

function pathTricks(path: string): Trick[] {
  const tricks: Trick[] = [];
  const segments = path.split(/[/\\]/);
  const climbs = segments.indexOf('..');
  if (climbs === 0)
    tricks.push({ what: "the path climbs out of the model's folder", reference: 'CVE-2022-25882' });
  else if (climbs > 0)
    tricks.push({
      what: 'the path climbs out behind a harmless-looking folder',
      reference: 'CVE-2024-27318',
    });
  if (/%2e|%2f|%5c/i.test(path))
    tricks.push({
      what: 'the path hides separators or dots in percent escapes',
      reference: 'CVE-2024-27318',
    });
  if (/^[/\\]/.test(path) || /^[a-z]:/i.test(path))
    tricks.push({ what: 'the path is absolute', reference: 'CVE-2025-51480' });
  if (/^[a-z][a-z0-9+.-]+:/i.test(path))
    tricks.push({ what: 'the location is a URL', reference: 'CVE-2022-25882' });
  if (path.includes('\0'))
    tricks.push({ what: 'the path holds a NUL character', reference: 'CVE-2024-5187' });
  if (path.includes('\\')) tricks.push({ what: 'the path uses backslashes', reference: 'CVE-2024-27318' });
  if (segments.filter((segment) => segment !== '').length > 1)
    tricks.push({ what: 'a folder on the way may be a symbolic link', reference: 'CVE-2026-27489' });
  return tricks;
}

function isMarked(tensor: TensorFact): boolean {
  return (
    tensor.external?.some((entry) => MEMORY_MARKER.test(entry.value) || MEMORY_MARKER.test(entry.key)) ??
    false
  );
}

export const EXTERNAL_DATA: ScanRule = {
  id: 'external-data',
  severity: 'critical',
  title: 'Tensor data outside the model file',
  // A plain file name can still be a symbolic or a hard link to something else.
  reference:
    'CVE-2022-25882, CVE-2024-27318, CVE-2024-5187, CVE-2025-51480, CVE-2026-27489, CVE-2026-34447, CVE-2026-34446, CVE-2026-34445',
  *run({ facts }) {
    for (const tensor of facts.tensors) {
      if (tensor.external === null) continue;
      const tricks = isMarked(tensor) ? [] : externalDataTricks(tensor.external);
      const location = tensor.external.find((entry) => entry.key === 'location')?.value ?? '';
      const references = [
        ...new Set(tricks.map((trick) => trick.reference).filter((reference) => reference !== '')),
      ];
      yield {
        where: tensorPath(facts.scopes, tensor),
        detail: [
          `Its bytes are said to be in ${quoted(location)}. Embed the data in the model file and add it again.`,
          ...tricks
            .slice(0, 10)
            .map((trick) => `${trick.what}${trick.reference === '' ? '' : ` (${trick.reference})`}`),
        ].join(' · '),
        reference: references.length > 0 ? references.join(', ') : 'CVE-2026-34447, CVE-2026-34446',
      };
    }
  },
};

export const MEMORY_MARKERS: ScanRule = {
  id: 'memory-marker',
  severity: 'critical',
  title: "Tensor that points into the runtime's memory",
  reference: 'onnxruntime #29011, #28617, #27430',
  *run({ facts }) {
    for (const tensor of facts.tensors) {
      if (!isMarked(tensor)) continue;
      const offset = tensor.external?.find((entry) => entry.key === 'offset')?.value ?? '';
      yield {
        where: tensorPath(facts.scopes, tensor),
        detail: `The runtime's internal marker makes it read ${quoted(offset)} as an address of its own process. No exporter writes it.`,
      };
    }
  },
};

import { SallyportError } from '../errors.ts';
import type { OnnxSummary } from '../onnx/summary.ts';

/** Names a label column usually has, the likeliest first; case does not matter. */
const LABEL_NAMES = ['label', 'class', 'target', 'y', 'is_malicious'] as const;
const LISTED = 8;

export interface FeatureColumns {
  /** Columns to feed, in the model's order. */
  readonly columns: string[];
  /** Columns that are neither a feature nor the label, in the file's order. */
  readonly ignored: string[];
  readonly labelColumn: string;
}

/** The label column: the one asked for, or a guess by its name. Throws `dataset.label-missing`. */
export function guessLabelColumn(header: readonly string[], labelColumn: string | null = null): string {
  if (labelColumn !== null) {
    if (header.includes(labelColumn)) return labelColumn;
    throw new SallyportError('dataset.label-missing', `The data has no column "${labelColumn}".`, {
      hint: `It has ${listed(header)}. Name the label column.`,
    });
  }
  for (const name of LABEL_NAMES) {
    const found = header.find((column) => column.trim().toLowerCase() === name);
    if (found !== undefined) return found;
  }
  throw new SallyportError(
    'dataset.label-missing',
    `The data has no column named ${LABEL_NAMES.join(', ')}.`,
    { hint: `It has ${listed(header)}. Name the label column.` },
  );
}

/** A model's side of the mapping: names in its own order, or null where it has none; its width, or null where open. */
export interface ModelFeatures {
  readonly names: readonly string[] | null;
  readonly width: number | null;
}

/** A file's side: `named` false where its columns have no names of their own. */
export interface FileColumns {
  readonly columns: readonly { readonly name: string }[];
  readonly named: boolean;
}

/** What a person chose of the file's columns; null fields are guessed. */
export interface ColumnChoice {
  readonly labelled: boolean;
  readonly labelColumn: string | null;
  /** Feature → column, where names differ. */
  readonly columns: Readonly<Record<string, string>> | null;
}

export interface MappedColumns {
  /** Columns to feed, in the model's order. */
  readonly columns: readonly string[];
  /** null where there is no truth. */
  readonly labelColumn: string | null;
  /** Columns that are neither, in the file's order. */
  readonly ignored: readonly string[];
}

/**
 * Which columns of a file feed a model: those the choice maps its features to, else those of equal names; by position
 * where the model or the file has no names. Unlabelled data has no label column, and one that is named like a label is
 * not fed by position either. Throws `dataset.columns`, `dataset.label-missing`.
 */
export function mapColumns(model: ModelFeatures, file: FileColumns, choice: ColumnChoice): MappedColumns {
  const header = file.columns.map(({ name }) => name);
  const duplicate = duplicateOf(header);
  if (duplicate !== null)
    throw new SallyportError('dataset.columns', `The data has two columns named "${duplicate}".`, {
      hint: 'Rename one of them.',
    });
  const label = choice.labelled ? guessLabelColumn(header, choice.labelColumn) : null;
  const { names } = model;
  const width = names?.length ?? model.width;
  // Unless the model needs every column there is.
  const withheld = label ?? (header.length === width ? null : labelLike(header, choice.labelColumn));
  const columns =
    names !== null && file.named
      ? namedColumns(names, choice.columns ?? {}, header, label, model.width)
      : firstColumns(header, withheld, width);
  const used = new Set<string | null>([label, ...columns]);
  return { columns, labelColumn: label, ignored: header.filter((column) => !used.has(column)) };
}

/** A column of unlabelled data that holds labels all the same, or null. */
function labelLike(header: readonly string[], labelColumn: string | null): string | null {
  if (labelColumn !== null && header.includes(labelColumn)) return labelColumn;
  return header.find((column) => LABEL_NAMES.some((name) => column.trim().toLowerCase() === name)) ?? null;
}

/**
 * Which columns of a labelled file feed the model, in which order: those that the model's own metadata names under
 * `features` (comma-separated, or a JSON list), else the first D that are not the label, D being the input's width;
 * all of them where the width is open. Throws `dataset.columns`, `dataset.label-missing`.
 */
export function featureColumns(
  summary: Pick<OnnxSummary, 'inputs' | 'metadata'>,
  header: readonly string[],
  labelColumn: string | null = null,
  inputName: string | null = null,
): FeatureColumns {
  const file = { columns: header.map((name) => ({ name })), named: true };
  const model = { names: featureNames(summary), width: inputWidth(summary, inputName) };
  const mapped = mapColumns(model, file, { labelled: true, labelColumn, columns: null });
  return {
    columns: [...mapped.columns],
    ignored: [...mapped.ignored],
    labelColumn: mapped.labelColumn ?? '',
  };
}

/** The feature names in the model's metadata, else those of its inputs where it has several; null where neither is. */
export function featureNames(
  summary: Pick<OnnxSummary, 'metadata'> & Partial<Pick<OnnxSummary, 'inputs'>>,
): string[] | null {
  const text = summary.metadata.features?.trim() ?? '';
  if (text === '') return inputNames(summary.inputs ?? []);
  if (!text.startsWith('[')) return text.split(',').map((name) => name.trim());
  try {
    const parsed: unknown = JSON.parse(text);
    if (Array.isArray(parsed) && parsed.length > 0 && parsed.every((name) => typeof name === 'string'))
      return parsed;
  } catch {
    // Said below, with what to do.
  }
  throw new SallyportError(
    'dataset.columns',
    'The model\'s metadata "features" starts like a JSON list and is none of names.',
    {
      hint: 'Write it as comma-separated names or as a JSON list of strings, and add the model as a new version.',
    },
  );
}

/** One input a column, as exporters of data frames write them: the input's name is the column's. */
function inputNames(inputs: OnnxSummary['inputs']): string[] | null {
  if (inputs.length < 2) return null;
  const names: string[] = [];
  for (const input of inputs) {
    const width = widthOf(input);
    if (width === null) return null;
    if (width === 1) names.push(input.name);
    else for (let place = 0; place < width; place++) names.push(`${input.name}_${place}`);
  }
  return names;
}

/** Values of a row that a [N] or [N, D] input takes; null where the file does not say. */
export function widthOf({ shape }: Pick<OnnxSummary['inputs'][number], 'shape'>): number | null {
  if (shape === null || shape.length === 0 || shape.length > 2) return null;
  if (shape.length === 1) return 1;
  const size = shape[1];
  return typeof size === 'number' && size > 0 ? size : null;
}

/** Width of the model's input of shape [N, D], of several inputs together; null where the file leaves it open. */
export function inputWidth(
  summary: Pick<OnnxSummary, 'inputs'>,
  inputName: string | null = null,
): number | null {
  if (summary.inputs.length > 1) {
    const widths = summary.inputs.map(widthOf);
    return widths.reduce((sum, width) => (sum === null || width === null ? null : sum + width), 0);
  }
  const input =
    inputName === null ? summary.inputs[0] : summary.inputs.find((value) => value.name === inputName);
  const size = input?.shape?.length === 2 ? input.shape[1] : null;
  return typeof size === 'number' && size > 0 ? size : null;
}

function namedColumns(
  names: readonly string[],
  mapping: Readonly<Record<string, string>>,
  header: readonly string[],
  label: string | null,
  width: number | null,
): string[] {
  if (width !== null && names.length !== width) {
    throw new SallyportError(
      'dataset.columns',
      `The model's metadata names ${names.length} features and its input takes ${width}.`,
      { hint: 'Correct "features" in the model\'s metadata and add it as a new version.' },
    );
  }
  const repeated = duplicateOf(names);
  if (repeated !== null)
    throw new SallyportError(
      'dataset.columns',
      `The model's metadata names the feature "${repeated}" twice.`,
      { hint: 'Correct "features" in the model\'s metadata and add it as a new version.' },
    );
  const columns = names.map((name) => (Object.hasOwn(mapping, name) ? mapping[name] : undefined) ?? name);
  if (label !== null && columns.includes(label))
    throw new SallyportError(
      'dataset.columns',
      `The label column "${label}" is one of the model's features.`,
      { hint: 'Name the column that holds the truth.' },
    );
  const present = new Set(header);
  const missing = columns.filter((name) => !present.has(name));
  if (missing.length > 0) {
    throw new SallyportError(
      'dataset.columns',
      `The data lacks ${missing.length} of the ${names.length} columns the model needs: ${listed(missing)}.`,
      {
        hint: 'Nothing was stored. Add the columns; their order does not matter.',
        facts: { missing: missing.length, first: missing[0] ?? null },
      },
    );
  }
  return columns;
}

function firstColumns(header: readonly string[], label: string | null, width: number | null): string[] {
  const candidates = header.filter((column) => column !== label);
  const needed = width ?? candidates.length;
  if (candidates.length < needed || needed === 0) {
    throw new SallyportError(
      'dataset.columns',
      `The data has ${candidates.length} columns${label === null ? '' : ` besides "${label}"`} (${listed(candidates)}) and the model needs ${Math.max(1, needed)}.`,
      {
        hint: 'Nothing was stored. The model names no columns itself: the file must have them first, in the order of training.',
        facts: { missing: needed - candidates.length },
      },
    );
  }
  return candidates.slice(0, needed);
}

function duplicateOf(names: readonly string[]): string | null {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return null;
}

function listed(names: readonly string[]): string {
  const shown = names
    .slice(0, LISTED)
    .map((name) => `"${name.slice(0, 80)}"`)
    .join(', ');
  return names.length === 0
    ? 'none'
    : names.length > LISTED
      ? `${shown} and ${names.length - LISTED} more`
      : shown;
}

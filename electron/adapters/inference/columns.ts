import { SallyportError } from '../../../shared/domain/errors.ts';
import type { DataSelection } from '../../../shared/domain/evidence/dataset.ts';
import { mapColumns } from '../../../shared/domain/model/feature-columns.ts';
import type { LoadedModel } from '../../../shared/node/onnx/session.ts';
import type { Dataset, Wanted } from '../datasets/dataset.ts';
import type { TaskModel } from './evaluate-task.ts';

/** Which columns a run reads. */
export interface RunColumns {
  /** Read as numbers, of all models together, each once. */
  readonly union: readonly string[];
  /** Read as text: columns that are no number feature, the label or the time. */
  readonly texts: readonly string[];
  /** By model: for each of its features its place in `union`, or -1 − its place in `texts`. */
  readonly places: readonly (readonly number[])[];
  /** By model: its features by name, or the columns they were taken from by position. */
  readonly names: readonly (readonly string[])[];
  /** Feature → column, of all models. */
  readonly mapping: Readonly<Record<string, string>>;
  readonly label: string | null;
  readonly time: string | null;
  /** ONNX element types by column of `union`, where they are not floating point. */
  readonly inputTypes: readonly (string | undefined)[];
}

/** Throws `dataset.columns` and `dataset.label-missing`. */
export function chooseColumns(
  models: readonly TaskModel[],
  loaded: readonly LoadedModel[],
  dataset: Pick<Dataset, 'columns' | 'named'>,
  data: DataSelection,
): RunColumns {
  const { timeColumn: time } = data;
  if (time !== null && !dataset.columns.some(({ name }) => name === time))
    throw new SallyportError('dataset.columns', `The data has no column "${time}".`, {
      hint: 'Name the column that holds the time of a row.',
    });
  // By position, the time is no feature.
  const file = { columns: dataset.columns.filter(({ name }) => name !== time), named: dataset.named };
  const mapped = models.map((model, index) =>
    mapColumns(
      { names: model.featureNames, width: loaded[index]?.info.featureCount ?? model.featureCount },
      file,
      data,
    ),
  );
  const label = mapped[0]?.labelColumn ?? null;
  const numbers = new Set<string>();
  for (const [index, { columns }] of mapped.entries()) {
    const texts = new Set(loaded[index]?.info.textFeatures ?? []);
    for (const [feature, column] of columns.entries()) if (!texts.has(feature)) numbers.add(column);
  }
  const union = [...numbers];
  const texts = file.columns.map(({ name }) => name).filter((name) => name !== label && !numbers.has(name));
  const placeOf = new Map([
    ...texts.map((name, at): [string, number] => [name, -1 - at]),
    ...union.map((name, at): [string, number] => [name, at]),
  ]);
  const inputTypes: (string | undefined)[] = union.map(() => undefined);
  const mapping: Record<string, string> = {};
  const names: (readonly string[])[] = [];
  const places = mapped.map(({ columns }, index) => {
    const own = models[index]?.featureNames ?? columns;
    const wantsText = new Set(loaded[index]?.info.textFeatures ?? []);
    const type = loaded[index]?.info.input.type;
    names.push(own);
    return columns.map((column, feature) => {
      mapping[own[feature] ?? column] = column;
      if (wantsText.has(feature)) {
        const at = texts.indexOf(column);
        if (at >= 0) return -1 - at;
        throw new SallyportError(
          'dataset.columns',
          `One model takes "${column}" as text and another one as a number.`,
          { hint: 'Nothing was stored. Run them one by one.' },
        );
      }
      const place = placeOf.get(column) ?? 0;
      inputTypes[place] ??= type;
      return place;
    });
  });
  return { union, texts, places, names, mapping, label, time, inputTypes };
}

/** What the reader is asked for; `texts` only where somebody looks at them. */
export function wantedOf(columns: RunColumns, labelKind: Wanted['labelKind']): Wanted {
  const { union, label, texts, time, inputTypes } = columns;
  return { features: union, label, labelKind, texts, time, inputTypes };
}

import { LABEL_TEXTS } from './label-text.ts';
import { literal } from './locked-database.ts';
import { isNumericType, type ReadPlan, type TableSource, textOf } from './source.ts';

/** Code of a cell that is no label. */
export const BAD_LABEL = 255;

/**
 * SQL: 0 (benign) or 1 (malicious) for a label cell, `BAD_LABEL` for anything else. With a positive value given, every
 * other filled cell is benign.
 */
export function labelCode(
  source: TableSource,
  index: number,
  plan: ReadPlan,
  positiveValue: string | null,
): string {
  const text = `lower(trim(${textOf(source, index, plan)}))`;
  if (positiveValue !== null) {
    const wanted = positiveValue.trim().toLowerCase();
    const number = wanted === '' ? Number.NaN : Number(wanted);
    const same = Number.isFinite(number)
      ? `(${text} = ${literal(wanted)} OR coalesce(TRY_CAST(${text} AS DOUBLE) = ${number}::DOUBLE, false))`
      : `${text} = ${literal(wanted)}`;
    return `CASE WHEN coalesce(${text}, '') IN ('', 'nan') THEN ${BAD_LABEL} WHEN ${same} THEN 1 ELSE 0 END`;
  }
  const sqlType = source.sqlType(index, plan);
  if (sqlType === 'BOOLEAN') return `CASE c${index} WHEN true THEN 1 WHEN false THEN 0 ELSE ${BAD_LABEL} END`;
  if (isNumericType(sqlType))
    return `CASE WHEN c${index} = 1 THEN 1 WHEN c${index} IN (0, -1) THEN 0 ELSE ${BAD_LABEL} END`;
  const list = (texts: readonly string[]): string => texts.map(literal).join(', ');
  return `CASE WHEN ${text} IN (${list(LABEL_TEXTS[0])}) THEN 0 WHEN ${text} IN (${list(LABEL_TEXTS[1])}) THEN 1 ELSE ${BAD_LABEL} END`;
}

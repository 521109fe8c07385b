import type { OnnxSummary, OnnxValue } from '../../../shared/domain/onnx/summary.ts';

/** `features: float[N, 122]`; an open dimension is `?`, a value without a shape has none written. */
export function formatValue(value: OnnxValue): string {
  return `${value.name}: ${formatType(value)}`;
}

export function formatType(value: OnnxValue): string {
  const shape =
    value.shape === null ? '' : `[${value.shape.map((dimension) => dimension ?? '?').join(', ')}]`;
  return value.kind === 'tensor'
    ? `${value.elementType}${shape}`
    : `${value.kind}(${value.elementType})${shape}`;
}

/** The most frequent operators, the rest summed as "others". */
export function topOperators(
  onnx: OnnxSummary,
  limit: number,
): { readonly name: string; readonly value: number }[] {
  const sorted = [...onnx.operators].sort((a, b) => b.count - a.count);
  const shown = sorted.slice(0, limit).map((operator) => ({
    name:
      operator.domain === '' || operator.domain === 'ai.onnx'
        ? operator.type
        : `${operator.domain}.${operator.type}`,
    value: operator.count,
  }));
  const rest = sorted.slice(limit).reduce((sum, operator) => sum + operator.count, 0);
  return rest === 0 ? shown : [...shown, { name: 'others', value: rest }];
}

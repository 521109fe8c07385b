/** Whose fault it is that a call was not answered. */
import { SallyportError } from '../shared/domain/errors.ts';
import { TooManyRows } from './inference/check-inputs.ts';
import type { ErrorType } from './metrics/counts.ts';

/** Whether the model's process or what is stored of it failed, which would fail other calls alike. */
export function isEngineFault(error: unknown): boolean {
  if (!(error instanceof SallyportError)) return !(error instanceof TooManyRows);
  if (error.code === 'engine.timeout' && error.facts.queued === true) return false;
  return (
    error.code.startsWith('engine.') || error.code.startsWith('integrity.') || error.code === 'unexpected'
  );
}

/**
 * Whether the model had no answer to input that fits its interface: the runtime stopped on it, or the answer was no
 * number, or none that is read as a label. That may be the input's doing (a value nobody has met) or the model's.
 */
export function isModelFault(error: unknown): boolean {
  return (
    error instanceof SallyportError &&
    (error.code === 'model.unsupported' || error.code === 'model.unmappable')
  );
}

export function errorType(error: unknown): ErrorType {
  if (error instanceof TooManyRows) return 'input';
  if (!(error instanceof SallyportError)) return 'engine';
  if (error.code === 'engine.timeout') return error.facts.queued === true ? 'overload' : 'timeout';
  if (error.code.startsWith('integrity.')) return 'integrity';
  if (isEngineFault(error)) return 'engine';
  return isModelFault(error) ? 'model' : 'input';
}

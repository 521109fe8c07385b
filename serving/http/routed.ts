/** One call of a model, whichever API it came by: where it goes, what the log is told, and how it is refused. */
import type { FastifyRequest } from 'fastify';
import { SallyportError } from '../../shared/domain/errors.ts';
import { Unavailable } from '../choose.ts';
import { refusal } from '../guard/refusal.ts';
import { TooManyRows } from '../inference/check-inputs.ts';
import type { Call } from '../predict.ts';
import { Refused } from './server.ts';

export interface Destination {
  readonly model: string;
  /** undefined = the routing decides. */
  readonly version: string | undefined;
}

/** Runs `work` with what the predictor wants to know of every call. Throws what becomes 413 and 503. */
export async function routed<T>(
  request: FastifyRequest,
  { model, version }: Destination,
  work: (call: Call) => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const routingKey = request.headers['x-routing-key'];
  request.facts.model = model;
  try {
    return await work({
      model,
      version,
      routingKey: typeof routingKey === 'string' && routingKey !== '' ? routingKey : request.id,
      startedAt,
      counted: (rows) => request.chargeRows(rows),
    });
  } catch (error) {
    if (error instanceof TooManyRows) throw new Refused(refusal('malformed', 413, error.message));
    const queued =
      error instanceof SallyportError && error.code === 'engine.timeout' && error.facts.queued === true;
    if (error instanceof Unavailable || queued)
      throw new Refused(refusal('busy', 503, error.message, { 'retry-after': '1' }));
    throw error;
  }
}

/** One call of a model, whichever API it came by: where it goes, and what the log is told. */
import type { FastifyRequest } from 'fastify';
import type { Call } from '../predict.ts';

export interface Destination {
  readonly model: string;
  /** undefined = the routing decides. */
  readonly version: string | undefined;
}

/** What the predictor wants to know of every call. */
export function callOf(request: FastifyRequest, { model, version }: Destination): Call {
  const routingKey = request.headers['x-routing-key'];
  request.facts.model = model;
  return {
    model,
    version,
    routingKey: typeof routingKey === 'string' && routingKey !== '' ? routingKey : request.id,
    startedAt: performance.now(),
    counted: (rows) => request.chargeRows(rows),
  };
}

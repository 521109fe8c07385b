/** The listener that callers of models see. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { SallyportError } from '../../shared/domain/errors.ts';
import { TooManyRows } from '../inference/check-inputs.ts';
import type { Metrics } from '../metrics.ts';
import { type Predictor, Unavailable } from '../predict.ts';
import type { Slots } from '../slots.ts';
import { createServer, parseWith, type ServerOptions } from './server.ts';

const predictBodySchema = z.strictObject({
  model_name: z.string().min(1).max(100),
  version: z.string().min(1).max(100).optional(),
  features: z.unknown(),
});

export interface PredictListenerOptions extends ServerOptions {
  readonly slots: Slots;
  readonly predictor: Predictor;
  readonly metrics: Metrics;
  /** False while the agent starts or drains. */
  readonly ready: () => boolean;
}

export function createPredictListener(options: PredictListenerOptions): FastifyInstance {
  const { slots, predictor } = options;
  const app = createServer(options);

  app.post('/predict', { config: { scopes: ['predict'] } }, async (request, reply) => {
    const startedAt = performance.now();
    const body = parseWith(predictBodySchema, request.body);
    const routingKey = request.headers['x-routing-key'];
    try {
      request.facts.model = body.model_name;
      request.facts.features = body.features;
      const answer = await predictor.predict({
        model: body.model_name,
        version: body.version,
        routingKey: typeof routingKey === 'string' && routingKey !== '' ? routingKey : request.id,
        features: body.features,
        counted: (rows) => request.chargeRows(rows),
        startedAt,
      });
      request.facts.version = answer.model_version;
      return answer;
    } catch (error) {
      if (error instanceof TooManyRows) return reply.code(413).send({ detail: error.message });
      const queued =
        error instanceof SallyportError && error.code === 'engine.timeout' && error.facts.queued === true;
      if (error instanceof Unavailable || queued)
        return reply.code(503).header('retry-after', '1').send({ detail: error.message });
      throw error;
    }
  });

  app.get('/health', { config: { scopes: null } }, async (_request, reply) => {
    const ready = options.ready();
    return reply.code(ready ? 200 : 503).send({
      status: ready ? 'ok' : 'unavailable',
      models: slots.all().filter((live) => live.stable).length,
    });
  });

  app.get('/models', { config: { scopes: ['predict', 'read'] } }, async () => ({
    models: slots.all().map(({ routing, stable }) => ({
      name: routing.name,
      version: stable?.ref.version ?? null,
      features: stable?.featureCount ?? null,
    })),
  }));

  app.get('/models/:name/versions', { config: { scopes: ['predict', 'read'] } }, async (request) => {
    const { name } = request.params as { name: string };
    const live = slots.get(name);
    if (!live) throw new SallyportError('not-found', `No model named ${name} is served here.`);
    const share = live.canary && live.routing.canary ? live.routing.canary.percent : 0;
    const versions = [
      { role: 'stable', release: live.stable, percent: live.stable ? 100 - share : 0 },
      { role: 'canary', release: live.canary, percent: share },
      { role: 'previous', release: live.previous, percent: 0 },
    ];
    return {
      name,
      versions: versions.flatMap(({ role, release, percent }) =>
        release ? [{ version: release.ref.version, digest: release.ref.digest, role, percent }] : [],
      ),
    };
  });

  addMetrics(app, options);
  return app;
}

/** `/metrics`, on both listeners. */
export function addMetrics(app: FastifyInstance, { metrics }: { readonly metrics: Metrics }): void {
  app.get('/metrics', { config: { scopes: ['read'] } }, async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.text()),
  );
}

/** The listener that callers of models see. */
import type { FastifyInstance } from 'fastify';
import { predictBodySchema } from '../../shared/domain/endpoint/predict-api.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import type { Drain } from '../drain.ts';
import type { Metrics } from '../metrics.ts';
import type { Predictor } from '../predict.ts';
import type { Slots } from '../slots.ts';
import { callOf } from './call.ts';
import { COMMON_OPERATIONS, PREDICT_OPERATIONS } from './openapi/predict-operations.ts';
import { PROTOCOL_OPERATIONS } from './openapi/protocol-operations.ts';
import { addOpenApi } from './openapi/route.ts';
import { addProtocol } from './protocol/routes.ts';
import { createServer, parseWith, type ServerOptions } from './server.ts';

export interface PredictListenerOptions extends ServerOptions {
  readonly slots: Slots;
  readonly predictor: Predictor;
  readonly metrics: Metrics;
  /** False while the agent starts or drains. */
  readonly ready: () => boolean;
  readonly drain: Drain;
}

export function createPredictListener(options: PredictListenerOptions): FastifyInstance {
  const { slots, predictor } = options;
  const app = createServer(options);

  app.post('/predict', { config: { scopes: ['predict'] } }, async (request) => {
    const { model_name: model, version, features } = parseWith(predictBodySchema, request.body);
    request.facts.features = features;
    const answer = await predictor.predict(callOf(request, { model, version }), features);
    request.facts.version = answer.model_version;
    return answer;
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

  addProtocol(app, options);
  addMetrics(app, options);
  addOpenApi(
    app,
    {
      title: 'Sallyport serving agent: predictions',
      description:
        'Predictions of approved models, by `/predict` and by the Open Inference Protocol, version 2.',
    },
    { ...PREDICT_OPERATIONS, ...PROTOCOL_OPERATIONS, ...COMMON_OPERATIONS },
  );
  return app;
}

/** `/metrics`, on both listeners. */
export function addMetrics(app: FastifyInstance, { metrics }: { readonly metrics: Metrics }): void {
  app.get('/metrics', { config: { scopes: ['read'] } }, async (_request, reply) =>
    reply.type(metrics.registry.contentType).send(await metrics.text()),
  );
}

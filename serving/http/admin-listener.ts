/** The listener that consoles see: releases in, routing, receipts, checkpoints. */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  checkpointBodySchema,
  type DrainAnswer,
  drainBodySchema,
  leaseBodySchema,
  nonceSchema,
  openReleaseSchema,
  type RoutingBody,
  revocationBodySchema,
  rollbackBodySchema,
  routingBodySchema,
} from '../../shared/domain/endpoint/admin-api.ts';
import { applyRollback, applyRouting, type ReleaseRef } from '../../shared/domain/endpoint/routing.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import { modelNameSchema, sha256Schema } from '../../shared/domain/model/version.ts';
import { leaseOf } from '../../shared/domain/rollout/plan.ts';
import type { CanaryWatch } from '../canary-watch.ts';
import type { Checkpoints } from '../checkpoints.ts';
import type { Drain } from '../drain.ts';
import type { AgentKeys } from '../identity.ts';
import type { ChangeAnswer } from '../live-model.ts';
import type { Metrics } from '../metrics.ts';
import type { Predictor } from '../predict.ts';
import type { ReleasePush } from '../releases/push.ts';
import type { ReleaseStore } from '../releases/stored.ts';
import { UPLOADS_PATH, type Uploads } from '../releases/uploads.ts';
import type { Revocations } from '../revocations.ts';
import type { Slots } from '../slots.ts';
import { ADMIN_OPERATIONS } from './openapi/admin-operations.ts';
import { COMMON_OPERATIONS } from './openapi/predict-operations.ts';
import { addOpenApi } from './openapi/route.ts';
import { addMetrics } from './predict-listener.ts';
import { createServer, parseWith, type ServerOptions } from './server.ts';

export interface AdminListenerOptions extends ServerOptions {
  readonly keys: AgentKeys;
  readonly slots: Slots;
  readonly store: ReleaseStore;
  readonly push: ReleasePush;
  readonly uploads: Uploads;
  readonly checkpoints: Checkpoints;
  readonly revocations: Revocations;
  readonly watch: CanaryWatch;
  readonly drain: Drain;
  readonly predictor: Predictor;
  readonly metrics: Metrics;
}

const BASE = '/admin/v1';

export function createAdminListener(options: AdminListenerOptions): FastifyInstance {
  const app = createServer(options);
  const { keys, slots, push, uploads, checkpoints } = options;
  const deploy = { config: { scopes: ['deploy' as const] } };
  const read = { config: { scopes: ['read' as const] } };

  // Without a token: a console proves who answers here before it sends one.
  app.get(`${BASE}/identity`, { config: { scopes: null } }, async (request) => {
    const { nonce } = parseWith(z.object({ nonce: nonceSchema }), request.query);
    return { identity: keys.identity, proof: keys.prove(nonce) };
  });

  app.post(`${BASE}/releases`, { ...deploy, bodyLimit: 4 * 1024 * 1024 }, async (request) =>
    push.open(parseWith(openReleaseSchema, request.body), uploads),
  );
  app.post(`${BASE}/releases/:root/complete`, deploy, async (request) => {
    const { root } = parseWith(z.object({ root: sha256Schema }), request.params);
    const { admitted, missing } = await push.complete(root, uploads);
    if (missing.length === 0)
      request.log.info(
        {
          requestId: request.id,
          root,
          model: admitted.request.name,
          version: admitted.request.version,
          approvedBy: admitted.approvedBy,
        },
        'release stored',
      );
    return {
      root,
      complete: missing.length === 0,
      name: admitted.request.name,
      version: admitted.request.version,
      missing,
    };
  });
  addUploads(app, uploads);

  app.get(`${BASE}/models`, read, async () => ({
    models: slots.all().map((live) => slots.answer(live.routing.name).model),
  }));
  app.get(`${BASE}/models/:name/traffic`, read, async (request) =>
    options.watch.traffic(nameOf(request.params)),
  );
  app.post(`${BASE}/models/:name/lease`, deploy, async (request) =>
    options.watch.renew(nameOf(request.params), parseWith(leaseBodySchema, request.body).generation),
  );
  app.get(`${BASE}/models/:name/receipt`, read, async (request) => {
    const { nonce } = parseWith(z.object({ nonce: nonceSchema }), request.query);
    return receipt(options, nonce, slots.answer(nameOf(request.params)));
  });
  app.post(`${BASE}/models/:name/routing`, deploy, async (request) => {
    const body = parseWith(routingBodySchema, request.body);
    return receipt(options, body.nonce, await route(options, nameOf(request.params), body, request));
  });
  app.post(`${BASE}/models/:name/rollback`, deploy, async (request) => {
    const name = nameOf(request.params);
    const { nonce, expectedGeneration = null, ...wish } = parseWith(rollbackBodySchema, request.body);
    // Not where the answer of the first run is given again, nor where all traffic was there already.
    let moved = false;
    const answer = await slots.change(name, {
      key: wish.key,
      request: digestOf({ name, rollback: wish }),
      expectedGeneration,
      roots: [],
      apply: async (before) => {
        const result = applyRollback(before, wish.to === null ? null : servedRef(slots, name, wish.to));
        moved = result.kind === 'changed' && result.routing.generation !== before.generation;
        return result;
      },
    });
    if (!moved) return receipt(options, nonce, answer);
    options.metrics.model(name).rollbacks.operator++;
    request.log.info(
      {
        requestId: request.id,
        model: name,
        generation: answer.model.generation,
        stable: answer.model.stable?.version,
      },
      'rolled back',
    );
    return receipt(options, nonce, answer);
  });

  addDrain(app, options);

  app.post(`${BASE}/revocations`, deploy, async (request) => {
    const { revocation: text, bundle, nonce } = parseWith(revocationBodySchema, request.body);
    const { serial, digest, name, version, reason } = await options.revocations.accept(text, bundle);
    request.log.warn({ requestId: request.id, model: name, version, digest, serial, reason }, 'revoked');
    return {
      receipt: keys.signRevocationReceipt({
        nonce,
        environmentId: keys.identity.environmentId,
        at: options.now().toISOString(),
        serial,
        digest,
        models: slots.all().map((live) => slots.answer(live.routing.name).model),
      }),
    };
  });
  app.get(`${BASE}/revocations`, read, async () => ({ revocations: options.revocations.held }));

  app.post(`${BASE}/checkpoints/:vaultId`, deploy, async (request) => {
    await checkpoints.store(vaultOf(request.params), parseWith(checkpointBodySchema, request.body).note);
    return { stored: true };
  });
  app.get(`${BASE}/checkpoints/:vaultId`, read, async (request) => ({
    notes: await checkpoints.notes(vaultOf(request.params)),
  }));

  addMetrics(app, options);
  addOpenApi(
    app,
    {
      title: 'Sallyport serving agent: administration',
      description:
        'Releases in, routing, rollback, receipts and checkpoints: what a console asks of an agent.',
    },
    { ...ADMIN_OPERATIONS, ...COMMON_OPERATIONS },
  );
  return app;
}

function addDrain(app: FastifyInstance, { drain, predictor, slots, log }: AdminListenerOptions): void {
  const answer = (): DrainAnswer => drain.answer(predictor.inFlight);
  app.get(`${BASE}/drain`, { config: { scopes: ['read'] } }, async () => answer());
  app.post(`${BASE}/drain`, { config: { scopes: ['deploy'] } }, async (request) => {
    const { model, draining } = parseWith(drainBodySchema, request.body);
    if (model !== null && !slots.get(model))
      throw new SallyportError('not-found', `No model named ${model} is served here.`);
    drain.set(model, draining);
    log.info({ model, draining }, 'drain');
    return answer();
  });
}

/** tus reads the connection itself; Fastify only guards the door. */
function addUploads(app: FastifyInstance, uploads: Uploads): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    for (const { method, url } of [
      { method: 'POST', url: UPLOADS_PATH },
      { method: ['HEAD', 'PATCH', 'DELETE'], url: `${UPLOADS_PATH}/:id` },
    ]) {
      scope.route({
        method,
        url,
        config: { scopes: ['deploy'] },
        handler: async (request, reply) => {
          reply.hijack();
          reply.raw.setHeader('x-request-id', request.id);
          // tus knows the raw request alone; its errors are told under this id.
          request.raw.headers['x-request-id'] = request.id;
          try {
            await uploads.handle(request.raw, reply.raw);
          } catch (error) {
            // Nobody else answers it, or knows which request it was.
            request.log.error({ requestId: request.id, err: error }, 'an upload failed unexpectedly');
            reply.raw.destroy();
          }
        },
      });
    }
  });
}

async function route(
  options: AdminListenerOptions,
  name: string,
  body: RoutingBody,
  { id: requestId, log }: FastifyRequest,
): Promise<ChangeAnswer> {
  const { nonce: _nonce, ...wish } = body;
  const refOf = async (root: string): Promise<ReleaseRef> => {
    const release = await options.store.read(root);
    if (release.request.name === name) return release.ref;
    throw new SallyportError(
      'conflict',
      `The release ${root.slice(0, 12)}… is of ${release.request.name}, not of ${name}.`,
      { hint: 'Nothing was changed.' },
    );
  };
  const answer = await options.slots.change(name, {
    key: wish.key,
    request: digestOf({ name, routing: wish }),
    expectedGeneration: wish.expectedGeneration,
    roots: [wish.stableRoot, wish.canary?.root].filter((root) => typeof root === 'string'),
    apply: async (routing) =>
      applyRouting(routing, {
        stable: wish.stableRoot === null ? null : await refOf(wish.stableRoot),
        canary: wish.canary && {
          ...(await refOf(wish.canary.root)),
          lease: await leaseFrom(options, wish.canary.root),
          percent: wish.canary.percent,
          mirrorSample: wish.canary.mirrorSample,
          salt: wish.canary.salt,
        },
      }),
  });
  log.info(
    {
      requestId,
      model: name,
      generation: answer.model.generation,
      stable: answer.model.stable?.version,
      canary: answer.model.canary?.version,
      percent: answer.model.canary?.percent,
    },
    'routed',
  );
  return answer;
}

/** A lease of the canary's signed plan, from now on. */
async function leaseFrom({ store, now }: AdminListenerOptions, root: string) {
  const lease = leaseOf(await store.readPlan(await store.read(root)));
  return { ...lease, until: new Date(now().getTime() + lease.ms).toISOString() };
}

function servedRef(slots: Slots, name: string, version: string): ReleaseRef {
  const served = slots.served(name, version);
  if (served) return { version: served.version, digest: served.digest, root: served.root };
  throw new SallyportError('not-found', `${name}@${version} was never served here.`, {
    hint: 'Nothing was changed. Deploy it instead.',
  });
}

function receipt(options: AdminListenerOptions, nonce: string, answer: ChangeAnswer): { receipt: unknown } {
  const { keys, now } = options;
  return {
    receipt: keys.signReceipt({
      nonce,
      environmentId: keys.identity.environmentId,
      at: now().toISOString(),
      ...answer,
    }),
  };
}

function nameOf(params: unknown): string {
  return parseWith(z.object({ name: modelNameSchema }), params).name;
}

function vaultOf(params: unknown): string {
  return parseWith(z.object({ vaultId: z.string().min(1).max(200) }), params).vaultId;
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

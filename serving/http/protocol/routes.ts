/** The Open Inference Protocol, version 2, on the predict listener: same routing, limits and counters as `/predict`. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { repositoryIndexBodySchema } from '../../../shared/domain/open-inference/messages.ts';
import { malformed } from '../../../shared/domain/open-inference/problem.ts';
import { readInferRequest } from '../../../shared/node/open-inference/request.ts';
import { writeInferResponse } from '../../../shared/node/open-inference/response.ts';
import { holdOlder } from '../../choose.ts';
import type { Drain } from '../../drain.ts';
import { refusal } from '../../guard/refusal.ts';
import { isOut, type LiveModel, outageText } from '../../live-model.ts';
import type { Metrics } from '../../metrics.ts';
import type { Predictor } from '../../predict.ts';
import type { LoadedRelease } from '../../release.ts';
import type { Slots } from '../../slots.ts';
import { callOf } from '../call.ts';
import { parseWith, Refused } from '../server.ts';
import { configOf, indexOf, loadedVersions, metadataOf, statsOf } from './describe.ts';
import { decodeBody, encodeBody } from './encodings.ts';
import { answeredTensor, loggedTensor, namedTensorOf } from './tensors.ts';

export interface ProtocolOptions {
  readonly slots: Slots;
  readonly predictor: Predictor;
  readonly metrics: Metrics;
  readonly bodyLimit: number;
  /** False while the agent starts or drains. */
  readonly ready: () => boolean;
  readonly drain: Drain;
}

const OPEN = { config: { scopes: null } };
const ASK = { config: { scopes: ['predict' as const, 'read' as const] } };
const PREDICT = { config: { scopes: ['predict' as const] } };

export function addProtocol(root: FastifyInstance, options: ProtocolOptions): void {
  const { slots, metrics } = options;
  root.register(async (app) => {
    // Stock clients name no type, and a body may be JSON, bytes or both: its own header says what it is.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

    app.get('/v2', ASK, async () => ({
      name: 'sallyport',
      version: '1',
      extensions: ['binary_tensor_data', 'model_configuration', 'statistics'],
    }));
    app.get('/v2/health/live', OPEN, async () => ({ live: true }));
    app.get('/v2/health/ready', OPEN, async (_request, reply) => {
      if (options.ready()) return { ready: true };
      return reply
        .code(503)
        .header('retry-after', '1')
        .send({ error: 'The agent is starting, stopping or drained.' });
    });

    /** Of a model, and of one of its versions. */
    const both = (path: string, answer: (live: LiveModel, release: LoadedRelease) => object): void => {
      for (const prefix of ['/v2/models/:model', '/v2/models/:model/versions/:version'])
        app.get(prefix + path, ASK, async (request) => {
          const { live, release, letGo } = await asked(slots, request.params);
          try {
            return answer(live, release);
          } finally {
            letGo?.();
          }
        });
    };
    both('', metadataOf);
    both('/config', configOf);
    both('/ready', ({ routing: { name } }) => {
      if (!options.drain.holds(name)) return { name, ready: true };
      throw new Refused(refusal('busy', 503, `${name} is being drained.`, { 'retry-after': '1' }));
    });

    const stats = (live: LiveModel, releases = loadedVersions(live)) =>
      statsOf(live, releases, metrics.model(live.routing.name).versions);
    app.get('/v2/models/stats', ASK, async () => ({
      model_stats: slots.all().flatMap((live) => stats(live)),
    }));
    app.get('/v2/models/:model/stats', ASK, async (request) => ({
      model_stats: stats((await asked(slots, request.params)).live),
    }));
    app.get('/v2/models/:model/versions/:version/stats', ASK, async (request) => {
      const { live, release, letGo } = await asked(slots, request.params);
      letGo?.();
      return { model_stats: stats(live, [release]) };
    });

    app.post('/v2/repository/index', ASK, async (request) => {
      const { ready = false } = parseWith(repositoryIndexBodySchema, jsonOf(await bodyOf(request, options)));
      return indexOf(slots.all(), ready);
    });

    app.post('/v2/models/:model/infer', PREDICT, (request, reply) => infer(request, reply, options));
    app.post('/v2/models/:model/versions/:version/infer', PREDICT, (request, reply) =>
      infer(request, reply, options),
    );
  });
}

async function infer(
  request: FastifyRequest,
  reply: FastifyReply,
  options: ProtocolOptions,
): Promise<FastifyReply> {
  const { model, version } = request.params as { model: string; version?: string };
  const { headers } = request;
  const call = callOf(request, { model, version });
  const packed = await bodyOf(request, options);
  const asked = readInferRequest(packed, textOf(headers['inference-header-content-length']));
  request.facts.features = () => asked.inputs.map(loggedTensor);
  const answer = await options.predictor.infer(call, {
    inputs: asked.inputs.map(namedTensorOf),
    outputs: asked.outputs?.map(({ name }) => name),
  });
  request.facts.version = answer.version;
  const { body, headerLength } = writeInferResponse({
    model_name: model,
    model_version: answer.version,
    id: asked.id,
    outputs: answer.outputs.map((tensor, place) =>
      answeredTensor(tensor, asked.outputs?.[place]?.binary ?? asked.binaryByDefault),
    ),
  });
  if (headerLength === null) reply.type('application/json; charset=utf-8');
  else reply.type('application/octet-stream').header('inference-header-content-length', headerLength);
  const sent = await encodeBody(body, textOf(headers['accept-encoding']));
  if (sent.encoding !== null) reply.header('content-encoding', sent.encoding);
  return reply.send(sent.body);
}

/** The body as bytes, unpacked. */
function bodyOf({ body, headers }: FastifyRequest, { bodyLimit }: ProtocolOptions): Promise<Buffer> {
  return decodeBody(body instanceof Buffer ? body : Buffer.alloc(0), headers['content-encoding'], bodyLimit);
}

/** No body is an empty object: stock clients send none where they have nothing to say. */
function jsonOf(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw malformed('The JSON of this request cannot be read.');
  }
}

/** A header that is there once. */
function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

interface Asked {
  readonly live: LiveModel;
  readonly release: LoadedRelease;
  /** Of a version that may be unloaded when nobody uses it. */
  readonly letGo?: () => void;
}

/** The model, and the version that is named or has its traffic. One that is kept and not in memory is loaded. */
async function asked(slots: Slots, params: unknown): Promise<Asked> {
  const { model, version } = params as { model: string; version?: string };
  const live = slots.get(model);
  if (!live) throw new SallyportError('not-found', `No model named ${model} is served here.`);
  if (version === undefined) {
    if (live.stable) return { live, release: live.stable };
    if (isOut(live)) throw new Refused(refusal('busy', 503, outageText(live.routing)));
    throw new SallyportError('not-found', `No version of ${model} is served here.`);
  }
  const release = loadedVersions(live).find(({ ref }) => ref.version === version);
  if (release) return { live, release };
  const held = await holdOlder(slots, model, version);
  if (!held) throw new SallyportError('not-found', `${model}@${version} is not kept here.`);
  return { live, ...held };
}

/** What both listeners have in common: limits, request ids, tokens before bodies, one shape of error. */
import { randomUUID } from 'node:crypto';
import fastify, {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import type { z } from 'zod';
import { type ErrorCode, SallyportError } from '../../shared/domain/errors.ts';
import { Unavailable } from '../choose.ts';
import { type AccessFacts, type AccessLog, accessLine, statusOf } from '../guard/access-log.ts';
import { type Caller, Door, type DoorOptions, type Rates } from '../guard/door.ts';
import { type Refusal, refusal } from '../guard/refusal.ts';
import type { QuietCollector } from '../heap.ts';
import { TooManyRows } from '../inference/check-inputs.ts';
import type { ListenerCounts } from '../metrics/listener-counts.ts';
import type { Scope } from '../tokens.ts';
import { type Answer, Answers } from './answers.ts';
import { errorBody } from './error-body.ts';
import { clientErrorHandler, createNodeServer } from './node-server.ts';
import type { Route } from './openapi/document.ts';
import { closeUnread, hasBody, invite } from './unread-body.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Scopes of which a caller's token needs one; `null` = open to everybody. A route without them cannot be made. */
    scopes?: readonly Scope[] | null;
  }
  interface FastifyRequest {
    /** Who was let in; null for a request that was refused. */
    caller: Caller | null;
    /** Its end is told to whoever waits for it; null for a request that no hook saw. */
    answer: Answer | null;
    /** What the route found out, for the access log. */
    facts: AccessFacts;
    /** Takes counted rows from the caller's allowance; throws what becomes a 429. */
    chargeRows(rows: number): void;
  }
  interface FastifyInstance {
    /** What was registered so far, for the document about it. */
    readonly routes: readonly Route[];
  }
}

export interface ServerOptions extends DoorOptions {
  readonly log: Logger;
  readonly bodyLimit: number;
  /** One allowance for all listeners. */
  readonly rates: Rates;
  /** Longest time a request may take to arrive, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** The listener's, for the access log. */
  readonly name: 'predict' | 'admin';
  readonly access: AccessLog;
  readonly counts: ListenerCounts;
  /** Told when nobody waits; null = it is not this listener whose quiet matters. */
  readonly collector: QuietCollector | null;
}

/** What becomes of a request at the door. */
interface Way {
  /** Undefined = there is no such route. */
  readonly scopes: readonly Scope[] | null | undefined;
  /** True = nobody is let in any more. */
  readonly closing?: boolean;
  readonly letIn: (caller: Caller) => void;
  readonly failed: (reason: Error) => void;
}

const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** A listener without routes. A route that takes rows calls `chargeRows` when it has counted them. */
export function createServer(options: ServerOptions): FastifyInstance {
  const { limits, access, counts } = options;
  const door = new Door(options, options.rates);
  const answers: Answers = new Answers(limits.answerTimeoutMs, () =>
    options.collector?.offer(() => answers.unfinished === 0),
  );
  const tell = (request: FastifyRequest, reply: FastifyReply): void => {
    counts.answer(statusOf(reply));
    access.write(() => accessLine(options.name, request, reply, access.logFeatures));
  };
  /** Has a request judged at the door, and whoever waits for its end told of it, however it ends. */
  const take = (request: FastifyRequest, reply: FastifyReply, way: Way): Answer => {
    request.facts = {};
    const answer = answers.begin(request.raw.socket);
    request.answer = answer;
    reply.header('x-request-id', request.id);
    const refused = (found: Refusal): void => {
      answers.whenOver(answer, () => tell(request, reply));
      refuse(found, request, reply);
    };
    const admit = (judged: Caller | Refusal): void => {
      if ('status' in judged) {
        counts.refuse(judged.reason);
        refused(judged);
        return;
      }
      request.caller = judged;
      answers.whenOver(answer, () => {
        door.leave(judged);
        tell(request, reply);
      });
      // Whoever went away while the signature was checked needs no answer.
      if (!request.raw.socket.destroyed) way.letIn(judged);
    };
    if (way.closing) {
      refused(CLOSING);
      return answer;
    }
    const judged = door.enter(request.raw, way.scopes);
    if (judged instanceof Promise) judged.then(admit).catch(way.failed);
    else admit(judged);
    return answer;
  };
  const app = fastify({
    loggerInstance: options.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    // One for each request costs more than most else that is done for it: a line names its request itself.
    childLoggerFactory: (log) => log,
    bodyLimit: options.bodyLimit,
    serverFactory: (handler) => createNodeServer(handler, limits, options.requestTimeoutMs, options.tls),
    clientErrorHandler: (error, socket) => {
      counts.refuse(error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'slow' : 'malformed');
      const requestId = randomUUID();
      options.log.debug({ requestId, problem: error.code }, 'what came is no request');
      clientErrorHandler(error, socket, requestId);
    },
    // A path that is not one: there is no route, so no hook runs either.
    frameworkErrors: (error, request, reply) => {
      const refused = refusal('malformed', error.statusCode ?? 400, 'This path cannot be read.');
      const answer = take(request, reply, {
        // It looks like any other path to somebody without a token.
        scopes: undefined,
        letIn: () => {
          counts.refuse(refused.reason);
          refuse(refused, request, reply);
        },
        failed: (reason) => sendError(reason as FastifyError, request, reply),
      });
      answers.write(answer);
      reply.raw.once('finish', () => answers.end(answer));
    },
    // The library's answer has a shape of its own, and no request id: the first hook below gives ours.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    genReqId: (request) => {
      const asked = request.headers['x-request-id'];
      return typeof asked === 'string' && REQUEST_ID.test(asked) ? asked : randomUUID();
    },
    routerOptions: { maxParamLength: 200 },
  });
  const routes: Route[] = [];
  app.decorate('routes', routes);
  app.addHook('onRoute', ({ method, url, config }) => {
    const scopes = config?.scopes;
    if (scopes === undefined) throw new Error(`${url} does not say which scopes open it`);
    for (const each of [method].flat()) {
      // The library answers HEAD wherever it answers GET.
      const alongside =
        each === 'HEAD' && routes.some((route) => route.method === 'GET' && route.url === url);
      if (!alongside) routes.push({ method: each, url, scopes });
    }
  });
  let closing = false;
  app.addHook('preClose', (done) => {
    closing = true;
    done();
  });
  app.decorateRequest('caller', null);
  app.decorateRequest('answer', null);
  app.decorateRequest('facts');
  app.decorateRequest('chargeRows', function (this: FastifyRequest, rows: number) {
    this.facts.rows = rows;
    const refused = this.caller && door.takeRows(this.caller, rows);
    if (!refused) return;
    counts.refuse(refused.reason);
    throw new Refused(refused);
  });
  app.addHook('onRequest', (request, reply, done) => {
    const { scopes } = request.routeOptions.config;
    take(request, reply, {
      scopes,
      // Health is asked about in the end, too, and says it itself.
      closing: closing && scopes !== null,
      letIn: ({ headers }) => {
        reply.headers(headers);
        invite(request.raw, reply.raw);
        done();
      },
      failed: done,
    });
  });
  app.addHook('onSend', (request, _reply, _payload, done) => {
    if (request.answer) answers.write(request.answer);
    done();
  });
  app.addHook('onResponse', (request, _reply, done) => {
    if (request.answer) answers.end(request.answer);
    done();
  });
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .send(errorBody(request.url, { detail: 'There is nothing here.', hint: 'See /openapi.json.' })),
  );
  app.setErrorHandler((error: FastifyError, request, reply) => sendError(error, request, reply));
  return app;
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  usage: 400,
  'input.invalid': 422,
  'not-found': 404,
  conflict: 409,
  'endpoint.stale': 409,
  'disk.full': 507,
  'disk.read-only': 507,
  'engine.timeout': 504,
  'engine.crashed': 500,
  'engine.memory': 500,
  unexpected: 500,
  cancelled: 503,
};

const CLOSING = refusal('busy', 503, 'The agent is stopping.', { 'retry-after': '1', connection: 'close' });

/** A refusal found after the door, thrown to become the same answer. */
export class Refused extends Error {
  readonly refusal: Refusal;
  constructor(found: Refusal) {
    super(found.detail);
    this.refusal = found;
  }
}

function refuse(found: Refusal, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.code(found.status).headers(found.headers);
  // A body that was not read is not going to be: its connection ends with the answer. So does a stranger's.
  if (!request.caller && (found.status === 401 || hasBody(request.raw))) {
    closeUnread(request.raw);
    reply.header('connection', 'close');
  }
  return reply.send(errorBody(request.url, found));
}

/** Worth asking again in a moment. */
function isBusy(error: Error): boolean {
  if (error instanceof Unavailable) return true;
  return error instanceof SallyportError && error.code === 'engine.timeout' && error.facts.queued === true;
}

/** One place where an error becomes an answer. Text of errors that are not ours stays in the log. */
function sendError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof Refused) return refuse(error.refusal, request, reply);
  if (error instanceof TooManyRows) return refuse(refusal('malformed', 413, error.message), request, reply);
  if (isBusy(error))
    return refuse(refusal('busy', 503, error.message, { 'retry-after': '1' }), request, reply);
  if (error instanceof SallyportError) {
    const status = STATUS[error.code] ?? 422;
    if (status >= 500) request.log.error({ requestId: request.id, err: error }, 'a request failed');
    const { message: detail, code, hint } = error;
    return reply.code(status).send(errorBody(request.url, { detail, code, hint }));
  }
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) {
    if (status === 413) reply.header('connection', 'close');
    return reply.code(status).send(errorBody(request.url, { detail: error.message }));
  }
  request.log.error({ requestId: request.id, err: error }, 'a request failed unexpectedly');
  const detail = 'Something unexpected went wrong; the agent’s log has it under this request id.';
  return reply.code(500).send(errorBody(request.url, { detail }));
}

/** Parses a body or query; 422 with the first thing that is wrong. */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  throw new SallyportError('input.invalid', `${where}${issue?.message ?? 'not valid'}`);
}

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
import type { AgentLimits } from '../config.ts';
import type { Scope, TokenFile } from '../tokens.ts';
import { createNodeServer } from './node-server.ts';
import { closeUnread, invite } from './unread-body.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Scopes of which a caller's token needs one; `null` = open to everybody. A route without them cannot be made. */
    scopes?: readonly Scope[] | null;
  }
}

export interface ServerOptions {
  readonly log: Logger;
  readonly limits: AgentLimits;
  readonly tokens: TokenFile;
  readonly bodyLimit: number;
  readonly now: () => Date;
  /** Longest time a request may take to arrive, in milliseconds. */
  readonly requestTimeoutMs: number;
  /** Level at which requests are logged. */
  readonly accessLevel: 'debug' | 'info';
}

const ANY_SCOPE: readonly Scope[] = ['predict', 'read', 'deploy'];
const REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

export function createServer(options: ServerOptions): FastifyInstance {
  const app = fastify({
    loggerInstance: options.log as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyLimit,
    serverFactory: (handler) => createNodeServer(handler, options),
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    genReqId: (request) => {
      const asked = request.headers['x-request-id'];
      return typeof asked === 'string' && REQUEST_ID.test(asked) ? asked : randomUUID();
    },
    routerOptions: { maxParamLength: 200 },
  });
  app.addHook('onRoute', (route) => {
    if (route.config?.scopes === undefined) throw new Error(`${route.url} does not say which scopes open it`);
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
    const { scopes } = request.routeOptions.config;
    if (scopes === null) return invite(request.raw, reply.raw);
    // A path that does not exist looks like any other to somebody without a token.
    const verdict = options.tokens.check(request.headers.authorization, scopes ?? ANY_SCOPE, options.now());
    if (verdict.kind === 'accepted') return invite(request.raw, reply.raw);
    // The body was not read, and is not going to be: the connection ends with the answer.
    closeUnread(request.raw);
    reply.header('connection', 'close');
    if (verdict.kind === 'unknown') {
      return reply
        .code(401)
        .header('www-authenticate', 'Bearer')
        .send({ detail: 'A valid bearer token is needed.' });
    }
    return reply
      .code(403)
      .send({ detail: `This token does not have the scope ${(scopes ?? ANY_SCOPE).join(' or ')}.` });
  });
  app.addHook('onResponse', async (request, reply) => {
    options.log[options.accessLevel]({
      requestId: request.id,
      method: request.method,
      path: request.url,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 100) / 100,
    });
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ detail: 'There is nothing here.' }));
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
  'engine.timeout': 504,
  'engine.crashed': 500,
  'engine.memory': 500,
  unexpected: 500,
  cancelled: 503,
};

/** One place where an error becomes an answer. Text of errors that are not ours stays in the log. */
function sendError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof SallyportError) {
    const status = STATUS[error.code] ?? 422;
    if (status >= 500) request.log.error({ err: error, requestId: request.id });
    return reply.code(status).send({
      detail: error.message,
      code: error.code,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) {
    if (status === 413) reply.header('connection', 'close');
    return reply.code(status).send({ detail: error.message });
  }
  request.log.error({ err: error, requestId: request.id });
  return reply
    .code(500)
    .send({ detail: 'Something unexpected went wrong; the agent’s log has it under this request id.' });
}

/** Parses a body or query; 422 with the first thing that is wrong. */
export function parseWith<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  throw new SallyportError('input.invalid', `${where}${issue?.message ?? 'not valid'}`);
}

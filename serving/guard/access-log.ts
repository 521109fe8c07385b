/** One line per request, apart from the agent's own log: who asked for what, and what became of it. */
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { destination, type Logger, pino } from 'pino';
import { z } from 'zod';
import { SallyportError } from '../../shared/domain/errors.ts';

export const accessLogSchema = z.strictObject({
  file: z.string().min(1),
  /** Rows as they were sent. They may be personal data; nobody else keeps them. */
  logFeatures: z.boolean().default(false),
});
export type AccessLogConfig = z.infer<typeof accessLogSchema>;

/** What a route knows about a request, for its line. */
export interface AccessFacts {
  model?: string;
  version?: string;
  rows?: number;
  /** Written with `logFeatures` only; made then where it is a function. */
  features?: unknown;
}

export interface AccessLog {
  readonly logFeatures: boolean;
  /** The line is only made where it is written. */
  write(line: () => Readonly<Record<string, unknown>>): void;
  /** After the file was renamed: goes on in a new one. */
  reopen(): void;
  /** Everything written is in the file. */
  close(): Promise<void>;
}

/** Without a file of their own, requests are told in the agent's log. */
export function accessLogIn(log: Logger, level: 'debug' | 'info'): AccessLog {
  return {
    logFeatures: false,
    write: (line) => {
      if (log.isLevelEnabled(level)) log[level](line(), 'request');
    },
    reopen: () => {},
    close: async () => {},
  };
}

/** `input.invalid` when the file cannot be written. A disk that is full later on loses lines, never an answer. */
export async function openAccessLog({ file, logFeatures }: AccessLogConfig, log: Logger): Promise<AccessLog> {
  try {
    // A stream that could not open its file throws when the process ends.
    await (await open(file, 'a', 0o600)).close();
  } catch (cause) {
    throw new SallyportError('input.invalid', `The access log ${file} cannot be written.`, {
      hint: 'Nothing was started. Check that its folder is there and may be written to.',
      cause,
    });
  }
  const target = destination({ dest: file, sync: false, append: true, mode: 0o600 });
  await once(target, 'ready');
  let told = false;
  target.on('error', (error: Error) => {
    if (!told) log.error({ problem: error.message }, 'the access log cannot be written');
    told = true;
  });
  const lines = pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, target);
  return {
    logFeatures,
    write: (line) => lines.info(line()),
    reopen: () => target.reopen(),
    close: () =>
      new Promise((resolve) => {
        target.once('close', resolve);
        target.end();
      }),
  };
}

/** nginx's status of a caller that went away before its answer was written: nobody else says that. */
const GONE = 499;

/** What a request was answered; 499 where it was not. */
export function statusOf({ raw, statusCode }: FastifyReply): number {
  return raw.writableFinished ? statusCode : GONE;
}

/** The line of a request. Never its query or headers: they may hold secrets. */
export function accessLine(
  listener: string,
  request: FastifyRequest,
  reply: FastifyReply,
  logFeatures: boolean,
): Record<string, unknown> {
  const { model, version, rows, features } = request.facts;
  const [path = ''] = request.url.split('?');
  return {
    listener,
    requestId: request.id,
    caller: request.caller?.name ?? null,
    address: request.caller?.address ?? request.socket.remoteAddress ?? null,
    method: request.method,
    route: request.routeOptions.url ?? path.slice(0, 200),
    status: statusOf(reply),
    ms: Math.round(reply.elapsedTime * 100) / 100,
    ...(model === undefined ? {} : { model: version === undefined ? model : `${model}@${version}` }),
    ...(rows === undefined ? {} : { rows }),
    ...(logFeatures && features !== undefined
      ? { features: typeof features === 'function' ? (features as () => unknown)() : features }
      : {}),
  };
}

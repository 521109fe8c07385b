/** The server under a listener: what Node itself bounds, before a request exists. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { expectsContinue } from './unread-body.ts';

export interface NodeServerOptions {
  /** Longest time a request may take to arrive, in milliseconds. */
  readonly requestTimeoutMs: number;
}

export function createNodeServer(handler: RequestListener, options: NodeServerOptions): Server {
  const { requestTimeoutMs } = options;
  const server = createServer(
    {
      requestTimeout: requestTimeoutMs,
      headersTimeout: Math.min(60_000, requestTimeoutMs),
      // Without it Node looks every 30 s only.
      connectionsCheckingInterval: Math.min(30_000, Math.max(100, requestTimeoutMs / 2)),
      keepAliveTimeout: 72_000,
    },
    handler,
  );
  // Node would ask for the body at once; here its owner is known first.
  server.on('checkContinue', (request, response) => {
    expectsContinue(request);
    handler(request, response);
  });
  return server;
}

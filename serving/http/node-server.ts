/** The server under a listener: what Node itself bounds, before there is a request. */
import { createServer, type RequestListener, type Server, STATUS_CODES } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { AgentLimits } from '../guard/limits.ts';
import type { ListenerTls } from '../guard/tls.ts';
import { expectsContinue } from './unread-body.ts';

export function createNodeServer(
  handler: RequestListener,
  limits: AgentLimits,
  requestTimeoutMs: number,
  tls: ListenerTls | null,
): Server {
  const headersTimeout = Math.min(limits.headersTimeoutMs, requestTimeoutMs);
  const served = new WeakMap<Socket, number>();
  // Node's own bound (maxRequestsPerSocket) says that it closes, and leaves the connection open.
  const counted: RequestListener = (request, response) => {
    const { socket } = request;
    const requests = (served.get(socket) ?? 0) + 1;
    served.set(socket, requests);
    if (limits.requestsPerConnection > 0 && requests >= limits.requestsPerConnection)
      response.setHeader('connection', 'close');
    handler(request, response);
  };
  const options = {
    requestTimeout: requestTimeoutMs,
    headersTimeout,
    // Without it Node looks every 30 s only.
    connectionsCheckingInterval: Math.min(30_000, Math.max(100, headersTimeout / 2)),
    keepAliveTimeout: limits.keepAliveMs,
    maxHeaderSize: limits.headerBytes,
  };
  const server = tls
    ? createTlsServer({ ...options, ...tls.options, handshakeTimeout: headersTimeout }, counted)
    : createServer(options, counted);
  // Node would leave out the headers beyond a count; here such a request is refused.
  server.maxHeadersCount = 0;
  server.maxConnections = limits.connections;
  // Node would ask for the body at once; here its owner is known first.
  server.on('checkContinue', (request, response) => {
    expectsContinue(request);
    counted(request, response);
  });
  return server;
}

/** Answers what is not even a request, and ends its connection. */
export function clientErrorHandler(error: NodeJS.ErrnoException, socket: Socket, requestId: string): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  // Plain HTTP on a TLS port: nothing we could write would be read.
  if (error.code?.startsWith('ERR_SSL_')) {
    socket.destroy();
    return;
  }
  const [status, detail] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? [408, 'The request took too long to arrive.']
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? [431, 'The headers are too long.']
        : [400, 'This is not an HTTP request.'];
  // Its path is not known: whoever sent it finds the text under the name it looks for.
  const body = JSON.stringify({ detail, error: detail });
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nX-Request-Id: ${requestId}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
  }
  socket.destroySoon();
}

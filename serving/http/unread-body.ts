/** Requests that are refused before their body was read. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** How long a refused caller that still sends may take to read its answer, in milliseconds. */
const LINGER_MS = 250;

/** Whether a body was announced. */
export function hasBody(request: IncomingMessage): boolean {
  const { headers } = request;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/**
 * Ends the connection after the answer, without reading what is still being sent. Closing at once would reset it, and a
 * caller in the middle of its body would see the reset instead of the answer: so it stays half open for a moment,
 * unread. Call before the answer is sent, and send `connection: close` with it.
 */
export function closeUnread(request: IncomingMessage): void {
  const { socket } = request;
  // Node drains the body of an answered request, however long it is; what has not arrived stays in the system's buffers.
  socket.pause();
  socket.resume = () => socket;
  socket.destroySoon = () => {
    socket.end();
    const timer = setTimeout(() => socket.destroy(), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
  };
}

const waiting = new WeakSet<IncomingMessage>();

/** For the server's `checkContinue`: the caller asks before it sends a body. */
export function expectsContinue(request: IncomingMessage): void {
  waiting.add(request);
}

/** Tells a caller that asked, once it was let in, to send its body. */
export function invite(request: IncomingMessage, response: ServerResponse): void {
  if (waiting.delete(request)) response.writeContinue();
}

/** What a request must look like before anybody asks who sent it. */
import type { IncomingMessage } from 'node:http';
import type { AgentLimits } from './limits.ts';
import { type Refusal, refusal } from './refusal.ts';

/** Two of them would let two readers see two different requests. With a bit for each. */
const ONCE: ReadonlyMap<string, number> = new Map(
  [
    'authorization',
    'content-encoding',
    'content-length',
    'content-type',
    'expect',
    'host',
    'inference-header-content-length',
    'tus-resumable',
    'upload-length',
    'upload-offset',
    'x-request-id',
    'x-routing-key',
  ].map((name, place) => [name, 1 << place] as const),
);

export function shapeProblem(request: IncomingMessage, limits: AgentLimits): Refusal | null {
  if ((request.url?.length ?? 0) > limits.urlBytes)
    return refusal('shape', 414, `The path is longer than ${limits.urlBytes} bytes.`);
  const { rawHeaders } = request;
  if (rawHeaders.length / 2 > limits.headerCount)
    return refusal('shape', 431, `There are more than ${limits.headerCount} header lines.`);
  let seen = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const bit = ONCE.get(name) ?? 0;
    if ((seen & bit) !== 0) return refusal('shape', 400, `The header ${name} is there more than once.`);
    seen |= bit;
  }
  return null;
}

/**
 * What a request leaves behind is taken away by the cheap, frequent collections. A Map or Set that is emptied with each
 * request leaves tables for the full ones: 54 to 152 bytes a request here, and what they hold.
 */
import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Door, type DoorOptions, Rates } from '../../../serving/guard/door.ts';
import { limitsSchema } from '../../../serving/guard/limits.ts';
import { RateLimiter } from '../../../serving/guard/rate-limit.ts';
import { youngGeneration } from '../../../serving/heap.ts';
import { Answers } from '../../../serving/http/answers.ts';
import { ANSWER_LIMITS, encodeFrame } from '../../../serving/inference/frames.ts';
import { openWorkerLink } from '../../../shared/node/onnx/worker-link.ts';
import type { WorkerReply, WorkerRequest } from '../../../shared/node/onnx/worker-protocol.ts';
import { collect, oldGarbage } from '../../support/garbage.ts';

const BYTES_A_TIME = 2;

/** A door that knows every token by what follows `Bearer`. */
function openDoor(change: Readonly<Record<string, number>> = {}): {
  readonly door: Door;
  come(name: string): IncomingMessage;
} {
  const limits = limitsSchema.parse(change);
  const tokens: Pick<DoorOptions['tokens'], 'check'> = {
    check: (header) => ({ kind: 'accepted', name: header?.slice('Bearer '.length) ?? '' }),
  };
  const options: DoorOptions = {
    limits,
    tokens: tokens as DoorOptions['tokens'],
    jwt: null,
    now: () => new Date(0),
    tls: null,
    allow: null,
    trustedProxies: null,
  };
  const come = (name: string): IncomingMessage =>
    ({
      url: '/predict',
      headers: { authorization: `Bearer ${name}` },
      rawHeaders: [],
      socket: { remoteAddress: '127.0.0.1' },
    }) as unknown as IncomingMessage;
  return { door: new Door(options, new Rates(limits)), come };
}

function letIn(door: Door, request: IncomingMessage): Parameters<Door['leave']>[0] {
  const judged = door.enter(request, ['predict']);
  if (judged instanceof Promise || 'status' in judged) throw new Error('not let in');
  return judged;
}

test('the door leaves nothing behind of a token that comes and goes', () => {
  const { door, come } = openDoor();
  const request = come('a');
  expect(oldGarbage(() => door.leave(letIn(door, request)))).toBeLessThan(BYTES_A_TIME);
});

test('given more tokens than the door remembers, those with somebody inside are still counted', () => {
  const { door, come } = openDoor({ requestsPerToken: 1 });
  const callers = Array.from({ length: 3 }, (_, each) => letIn(door, come(`inside-${each}`)));
  for (let each = 0; each < 5000; each++) door.leave(letIn(door, come(`passing-${each}`)));
  for (const { name } of callers)
    expect(door.enter(come(name ?? ''), ['predict'])).toMatchObject({ status: 429 });
  for (const caller of callers) door.leave(caller);
  for (const { name } of callers) letIn(door, come(name ?? ''));
});

test('an answer that is written leaves nothing behind on its connection', () => {
  const answers = new Answers(1000);
  const socket = new EventEmitter() as Socket;
  let told = 0;
  const work = (): void => {
    const answer = answers.begin(socket);
    answers.whenOver(answer, () => told++);
    answers.write(answer);
    answers.end(answer);
    answers.end(answer);
  };
  expect(oldGarbage(work)).toBeLessThan(BYTES_A_TIME);
  expect(told).toBeGreaterThan(100_000);
});

test('given a connection that stays open, then it holds nothing of a request that was answered, be it its first', async () => {
  const answers = new Answers(1000);
  const socket = new EventEmitter();
  const answerOne = (): WeakRef<object> => {
    const request = { socket } as unknown as IncomingMessage;
    const answer = answers.begin(request.socket);
    answers.whenOver(answer, () => request.destroy);
    answers.write(answer);
    answers.end(answer);
    return new WeakRef(request);
  };
  const answered = [answerOne(), answerOne()];
  // A reference that was made counts until its task is over.
  await new Promise((resolve) => setTimeout(resolve));
  collect();
  expect(answered.map((request) => request.deref())).toEqual([undefined, undefined]);
  expect(socket.listenerCount('close')).toBe(1);
});

test('a request to an inference process leaves nothing behind when it is answered', () => {
  let answer: (message: unknown) => void = () => {};
  const link = openWorkerLink(
    {
      pid: undefined,
      postMessage: (message) => {
        const { id } = message as WorkerRequest;
        answer({ id, kind: 'done', value: null, next: null } satisfies WorkerReply);
      },
      onMessage: (listener) => {
        answer = listener;
      },
      onExit: () => {},
      kill: () => {},
    },
    { maxRssBytes: Number.POSITIVE_INFINITY },
  );
  let done = 0;
  const work = (): void =>
    link.request({ type: 'unload', key: 'model' }, 1000, {
      done: () => done++,
      failed: () => {},
      gone: () => {},
    });
  expect(oldGarbage(work)).toBeLessThan(BYTES_A_TIME);
  expect(done).toBeGreaterThan(100_000);
});

test('callers who take turns at a rate leave nothing behind', () => {
  const limiter = new RateLimiter({ perSecond: 1000, burstSeconds: 1 });
  let turn = 0;
  expect(oldGarbage(() => limiter.take(`caller-${turn++ % 8}`, 1, turn))).toBeLessThan(BYTES_A_TIME);
});

test('a message that is written leaves no memory outside the heap that only a full collection finds', () => {
  const young = youngGeneration();
  const message = {
    id: 1,
    kind: 'done',
    next: null,
    value: [{ name: 'x', type: 'int64', dims: [4], data: new BigInt64Array(4) }],
  };
  const work = (): void => {
    for (let each = 0; each < 4000; each++) {
      encodeFrame(message, ANSWER_LIMITS);
      // As often as some tens of answers, as in a process that has little to do.
      if (each % 5 === 0) young?.collect();
    }
  };
  work();
  const before = process.memoryUsage().arrayBuffers;
  work();
  expect((process.memoryUsage().arrayBuffers - before) / 4000).toBeLessThan(BYTES_A_TIME);
});

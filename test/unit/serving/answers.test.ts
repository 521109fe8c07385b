import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Answers } from '../../../serving/http/answers.ts';

class FakeSocket extends EventEmitter {
  destroyed = false;
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    queueMicrotask(() => this.emit('close'));
  }
}
const open = (): Socket & FakeSocket => new FakeSocket() as Socket & FakeSocket;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the end of an answer is told once', () => {
  const answers = new Answers(1000);
  const answer = answers.begin(open());
  const told = vi.fn();
  answers.whenOver(answer, told);
  answers.end(answer);
  answers.end(answer);
  expect(told).toHaveBeenCalledOnce();
});

test('given a connection that ends, then every answer on it is over, whatever their order', async () => {
  const answers = new Answers(1000);
  const socket = open();
  const other = answers.begin(open());
  const mine = [1, 2, 3].map(() => answers.begin(socket));
  const over: number[] = [];
  for (const [place, answer] of mine.entries()) answers.whenOver(answer, () => over.push(place));
  const [, second] = mine;
  if (second) answers.end(second);
  socket.destroy();
  await vi.advanceTimersByTimeAsync(0);
  expect(over).toEqual([1, 0, 2]);
  expect(other.isOver).toBe(false);
});

test('given a connection that is gone before its request is taken up, then who asks for the end is told at once', () => {
  const answers = new Answers(1000);
  const socket = open();
  socket.destroyed = true;
  const told = vi.fn();
  answers.whenOver(answers.begin(socket), told);
  expect(told).toHaveBeenCalledOnce();
});

test.each([100, 101, 1000, 4999, 10_500, 30_000])(
  'a client has %i ms to take its answer, and at most two looks more',
  async (timeoutMs) => {
    const answers = new Answers(timeoutMs);
    const look = Math.ceil(Math.min(1000, timeoutMs / 4));
    const early = open();
    // Just before a look.
    const late = open();
    const waiting = open();
    answers.begin(waiting);
    answers.write(answers.begin(early));
    await vi.advanceTimersByTimeAsync(look - 1);
    answers.write(answers.begin(late));
    await vi.advanceTimersByTimeAsync(timeoutMs - look);
    expect(early.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(look - 1);
    expect(late.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(2 * look + 2);
    expect([early.destroyed, late.destroyed]).toEqual([true, true]);
    // A model may take longer than a client.
    expect(waiting.destroyed).toBe(false);
  },
);

test('given many answers at once, then those that were taken do not end their connections, and the others do', async () => {
  const answers = new Answers(1000);
  const sockets = Array.from({ length: 50 }, open);
  const written = sockets.map((socket) => answers.begin(socket));
  for (const answer of written) answers.write(answer);
  for (const [place, answer] of written.entries()) if (place % 3 !== 0) answers.end(answer);
  await vi.advanceTimersByTimeAsync(1300);
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual(sockets.map((_, place) => place % 3 === 0));
});

test('given nothing left to write, then no timer runs', async () => {
  const answers = new Answers(1000);
  const answer = answers.begin(open());
  answers.write(answer);
  expect(vi.getTimerCount()).toBe(1);
  answers.end(answer);
  await vi.advanceTimersByTimeAsync(300);
  expect(vi.getTimerCount()).toBe(0);
});

test('given several answers, then it is quiet when the last of them has ended, however it ended', async () => {
  const quiet = vi.fn();
  const answers = new Answers(1000, quiet);
  const socket = open();
  const [first, second] = [answers.begin(open()), answers.begin(socket)];
  expect(answers.unfinished).toBe(2);
  answers.end(first);
  answers.end(first);
  expect(quiet).not.toHaveBeenCalled();
  socket.destroy();
  await vi.advanceTimersByTimeAsync(0);
  expect(second.isOver).toBe(true);
  expect([answers.unfinished, quiet.mock.calls.length]).toEqual([0, 1]);
});

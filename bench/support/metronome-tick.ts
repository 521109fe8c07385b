/**
 * Always the same little work, every few milliseconds: how much longer than usual it takes, and how late it begins. Asked
 * by a message, it answers what it saw since it was asked last.
 */
import type { Tick } from './metronome.ts';

const EVERY_MS = 4;
/** Whoever takes the core for a moment meets one or two of them, a slow core all. */
const PIECES = 5;
/** Some microseconds: whoever is measured may wait for it. */
const STEPS = 1000;
const WARM_UP_MS = 1500;

let x = 1;

function piece(): number {
  const started = performance.now();
  let value = x;
  for (let step = 0; step < STEPS; step++) value = (Math.imul(value, 1_664_525) + 1_013_904_223) | 0;
  x = value;
  return performance.now() - started;
}

function fastest(): number {
  let least = Number.POSITIVE_INFINITY;
  for (let count = 0; count < PIECES; count++) least = Math.min(least, piece());
  return least;
}

function answer(tick: Tick): void {
  process.send?.(tick);
}

const started = performance.now();
while (performance.now() - started < WARM_UP_MS) fastest();
let usual = Number.POSITIVE_INFINITY;
let slowest = 0;
let lateMs = 0;
let due = performance.now() + EVERY_MS;
setInterval(() => {
  const now = performance.now();
  lateMs = Math.max(lateMs, now - due);
  due = now + EVERY_MS;
  const took = fastest();
  usual = Math.min(usual, took);
  slowest = Math.max(slowest, took);
}, EVERY_MS);

process.on('message', () => {
  answer({ stretch: slowest / usual, lateMs });
  slowest = 0;
  lateMs = 0;
});
process.on('disconnect', () => process.exit(0));
answer({ stretch: 1, lateMs: 0 });

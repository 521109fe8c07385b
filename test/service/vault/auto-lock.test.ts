/** The window's desk with a clock that a test holds: who is not there is signed out, what they began goes on. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createDesk, type DeskControl } from '../../../electron/main/desk.ts';
import type { AuditEntry } from '../../../shared/domain/audit/entry.ts';
import { consoleFactory } from '../../support/console.ts';
import { temporaryDirectory } from '../../support/temp.ts';
import { virtualClock } from '../../support/virtual-clock.ts';

const MINUTE = 60_000;
const OPERATOR = { operator: 'ana', passphrase: 'ana signs with this one' };

interface Window {
  readonly desk: DeskControl;
  readonly clock: ReturnType<typeof virtualClock>;
  /** Resolves when nobody is signed in any more. */
  signedOut(): Promise<void>;
  entries(): AuditEntry[];
}

/** A window on a fresh vault; time begins to pass when somebody sleeps, so everything is set before. */
async function windowWith(options: {
  readonly minutes: number;
  readonly systemIdleMs?: () => number;
  /** Called once a virtual second. */
  readonly everySecond?: (desk: DeskControl, elapsed: number) => void;
}): Promise<Window> {
  const clock = virtualClock();
  let desk: DeskControl | null = null;
  let signedInAt = Number.POSITIVE_INFINITY;
  const system = {
    ...clock.system,
    sleep: async (ms: number, signal?: AbortSignal) => {
      await clock.system.sleep(ms, signal);
      if (desk !== null && clock.now() >= signedInAt) options.everySecond?.(desk, clock.now() - signedInAt);
    },
  };
  const heard = Promise.withResolvers<void>();
  desk = createDesk({
    factory: consoleFactory({ system }),
    vaultPath: join(temporaryDirectory(), 'vault'),
    runtime: 'test',
    version: '0',
    events: {},
    onChange: (topics) => {
      if (topics.includes('session') && signedInAt <= clock.now() && desk?.signedIn() === null)
        heard.resolve();
    },
    onProgress: () => {},
    // Nobody is found idle while the window is still being set up: that sign-out would be heard by no test.
    systemIdleMs: () => (clock.now() >= signedInAt ? (options.systemIdleMs?.() ?? 0) : 0),
  });
  const made = desk;
  onTestFinished(() => made.close());
  await made.create({
    operator: OPERATOR.operator,
    person: 'Ana Analyst',
    operatorPassphrase: OPERATOR.passphrase,
    keys: { kind: 'passphrase', passphrase: 'the vault opens with this' },
  });
  await made.signIn(OPERATOR.operator, OPERATOR.passphrase);
  const { settings } = made.services().vault.about();
  await made
    .services()
    .vault.setSettings(made.actor(), { settings: { ...settings, autoLockMinutes: options.minutes } });
  made.active();
  signedInAt = clock.now();
  return {
    desk: made,
    clock,
    signedOut: () => heard.promise,
    entries: () => made.services().audit.list(made.actor(), { before: null, limit: 50, text: '' }).entries,
  };
}

test('given nobody touches the window, the operator is signed out after the minutes, and the log says why', async () => {
  const { desk, clock, signedOut } = await windowWith({ minutes: 1 });
  const from = clock.now();
  await signedOut();
  expect(clock.now() - from).toBeGreaterThanOrEqual(MINUTE);
  expect(await desk.status()).toMatchObject({ vault: 'open', operator: null });
  expect(() => desk.actor()).toThrow(expect.objectContaining({ code: 'locked' }));
  await desk.signIn(OPERATOR.operator, OPERATOR.passphrase);
  const { entries } = desk.services().audit.list(desk.actor(), { before: null, limit: 50, text: '' });
  const left = entries.find(({ action }) => action === 'session.signed-out');
  expect(left).toMatchObject({ actor: 'ana', details: { reason: 'idle' } });
});

test('given somebody is there every half minute for five minutes, the operator stays signed in that long', async () => {
  let lastActive = 0;
  const { clock, signedOut } = await windowWith({
    minutes: 1,
    everySecond: (desk, elapsed) => {
      if (elapsed - lastActive < MINUTE / 2 || elapsed > 5 * MINUTE) return;
      lastActive = elapsed;
      desk.active();
    },
  });
  const from = clock.now();
  await signedOut();
  expect(clock.now() - from).toBeGreaterThanOrEqual(5 * MINUTE);
});

test('given a window that reports somebody while the whole machine is untouched, the machine is believed', async () => {
  const { signedOut, clock } = await windowWith({
    minutes: 2,
    everySecond: (desk) => desk.active(),
    systemIdleMs: () => 3 * MINUTE,
  });
  const from = clock.now();
  await signedOut();
  expect(clock.now() - from).toBeLessThan(2 * MINUTE);
});

test('given 0 minutes, nobody is signed out; given a job that runs on, it is not cancelled by signing out', async () => {
  const { desk, signedOut, clock } = await windowWith({ minutes: 0 });
  await clock.system.sleep(3 * MINUTE);
  expect((await desk.status()).operator).toMatchObject({ name: 'ana' });
  const job = desk.job('long', async ({ signal }) => {
    await clock.system.sleep(3 * MINUTE, signal);
    return 'done';
  });
  const { settings } = desk.services().vault.about();
  await desk.services().vault.setSettings(desk.actor(), { settings: { ...settings, autoLockMinutes: 1 } });
  desk.active();
  await signedOut();
  expect(await job).toBe('done');
});

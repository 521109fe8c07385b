import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createRouter,
  createSenderCheck,
  type Router,
  type RouterIpc,
  type SenderEvent,
} from '../../electron/ipc/router.ts';
import { isAppUrl } from '../../electron/main/addresses.ts';
import { CHANNEL_NAMES, EVENT_NAMES } from '../../shared/contract/channel-names.ts';
import { CHANNELS, EVENTS } from '../../shared/contract/channels.ts';
import { type Result, wireErrorSchema } from '../../shared/contract/result.ts';
import { SallyportError } from '../../shared/domain/errors.ts';

type Listener = Parameters<RouterIpc['handle']>[1];

/** The part of Electron the router uses, kept in a map. */
class Ipc implements RouterIpc {
  readonly listeners = new Map<string, Listener>();
  handle(channel: string, listener: Listener): void {
    this.listeners.set(channel, listener);
  }
}

const frame = { url: 'app://console/', parent: null };
const trusted: SenderEvent = { sender: { mainFrame: frame }, senderFrame: frame };

let ipc: Ipc;
let logged: { facts: Readonly<Record<string, unknown>>; message: string }[];
let pushed: { channel: string; payload: unknown }[];
let router: Router;

beforeEach(() => {
  ipc = new Ipc();
  logged = [];
  pushed = [];
  router = createRouter({
    ipcMain: ipc,
    isTrustedSender: createSenderCheck(isAppUrl),
    receivers: () => [{ send: (channel, payload) => void pushed.push({ channel, payload }) }],
    log: { error: (facts, message) => void logged.push({ facts, message }) },
  });
});

const call = async (
  channel: string,
  input: unknown,
  event: SenderEvent = trusted,
): Promise<Result<unknown>> => {
  const listener = ipc.listeners.get(channel);
  if (listener === undefined) throw new Error(`Nobody handles ${channel}`);
  return (await listener(event, input)) as Result<unknown>;
};

describe('a call', () => {
  it('with valid input from our page reaches its handler, parsed, and its value comes back', async () => {
    const seen: unknown[] = [];
    router.register('jobs.cancel', (input) => {
      seen.push(input);
      return { done: true };
    });
    router.open();
    expect(await call('jobs.cancel', { jobId: 'j1', more: 'dropped' })).toEqual({
      ok: true,
      value: { done: true },
    });
    expect(seen).toEqual([{ jobId: 'j1' }]);
  });

  it('with invalid input never reaches its handler, whatever the input', async () => {
    let reached = 0;
    router.register('jobs.cancel', () => {
      reached += 1;
      return { done: true };
    });
    router.open();
    await fc.assert(
      fc.asyncProperty(fc.anything(), async (input) => {
        fc.pre(!CHANNELS['jobs.cancel'].input.safeParse(input).success);
        expect(await call('jobs.cancel', input)).toMatchObject({
          ok: false,
          error: { code: 'input.invalid' },
        });
      }),
    );
    expect(reached).toBe(0);
  });

  it('made before the services are there is answered once they are', async () => {
    const answer = call('jobs.cancel', { jobId: 'early' });
    router.register('jobs.cancel', () => ({ done: true }));
    router.open();
    expect(await answer).toEqual({ ok: true, value: { done: true } });
  });

  it('is answered with the reason when the services could not start', async () => {
    const answer = call('session.status', {});
    router.fail(new SallyportError('vault.newer', 'The vault was written by a newer version.'));
    expect(await answer).toMatchObject({ ok: false, error: { code: 'vault.newer' } });
  });

  it('that nothing serves is a typed error', async () => {
    router.open();
    expect(await call('session.status', {})).toMatchObject({ ok: false, error: { code: 'unexpected' } });
  });
});

describe('an error', () => {
  it('of ours crosses with code, message, hint and facts, and is not logged', async () => {
    router.register('jobs.cancel', () => {
      throw new SallyportError('not-found', 'There is no such job.', {
        hint: 'It has ended.',
        facts: { job: 'j' },
      });
    });
    router.open();
    expect(await call('jobs.cancel', { jobId: 'j' })).toEqual({
      ok: false,
      error: {
        code: 'not-found',
        message: 'There is no such job.',
        hint: 'It has ended.',
        facts: { job: 'j' },
      },
    });
    expect(logged).toEqual([]);
  });

  it('of nobody crosses without its text and is logged without the input', async () => {
    router.register('session.signIn', () => {
      throw new TypeError('no such column: secret_table');
    });
    router.open();
    const answer = await call('session.signIn', { operator: 'ada', passphrase: 'correct horse battery' });
    expect(answer).toMatchObject({ ok: false, error: { code: 'unexpected' } });
    expect(JSON.stringify(answer)).not.toContain('secret_table');
    expect(logged).toHaveLength(1);
    expect(logged[0]?.facts).toMatchObject({
      channel: 'session.signIn',
      message: 'no such column: secret_table',
    });
    expect(JSON.stringify(logged)).not.toContain('correct horse');
  });

  it('always has the form the window parses', async () => {
    router.open();
    for (const channel of CHANNEL_NAMES) {
      const answer = await call(channel, null);
      expect(answer.ok).toBe(false);
      if (!answer.ok) expect(wireErrorSchema.parse(answer.error)).toEqual(answer.error);
    }
  });

  it('is what a value outside the contract becomes, and fields it does not name stay inside', async () => {
    router.register('dialogs.save', (() => ({ path: 7 })) as never);
    router.register('dialogs.open', (() => ({ path: '/x', privateKey: 'AGE-SECRET' })) as never);
    router.open();
    expect(await call('dialogs.save', { suggestedName: 'a' })).toMatchObject({
      ok: false,
      error: { code: 'unexpected' },
    });
    expect(await call('dialogs.open', { kind: 'model' })).toEqual({ ok: true, value: { path: '/x' } });
  });
});

describe('a foreign sender', () => {
  const inner = { url: 'app://console/', parent: frame };
  const elsewhere = { url: 'https://example.com/', parent: null };
  it.each<[string, SenderEvent]>([
    ['a frame that is gone', { sender: { mainFrame: frame }, senderFrame: null }],
    ['a frame inside the page', { sender: { mainFrame: frame }, senderFrame: inner }],
    ['another page', { sender: { mainFrame: elsewhere }, senderFrame: elsewhere }],
    [
      'a frame that is not the main frame of its sender',
      { sender: { mainFrame: elsewhere }, senderFrame: { ...frame } },
    ],
  ])('is rejected: %s', async (_name, event) => {
    let reached = false;
    router.register('jobs.cancel', () => {
      reached = true;
      return { done: true };
    });
    router.open();
    await expect(call('jobs.cancel', { jobId: 'j' }, event)).rejects.toThrow('Refused');
    expect(reached).toBe(false);
    expect(logged).toHaveLength(1);
  });
});

describe('the table', () => {
  it('has a listener for every channel of the contract and no other', () => {
    expect([...ipc.listeners.keys()].sort()).toEqual([...CHANNEL_NAMES].sort());
    expect(Object.keys(CHANNELS).sort()).toEqual([...CHANNEL_NAMES].sort());
    expect(Object.keys(EVENTS).sort()).toEqual([...EVENT_NAMES].sort());
  });

  it('takes one handler per channel', () => {
    router.register('jobs.cancel', () => ({ done: true }));
    expect(() => router.register('jobs.cancel', () => ({ done: true }))).toThrow('two handlers');
  });
});

describe('a push', () => {
  it('reaches every window in the form of the contract', () => {
    router.broadcast('invalidated', { topics: ['models'] });
    expect(pushed).toEqual([{ channel: 'invalidated', payload: { topics: ['models'] } }]);
  });

  it('outside the contract is a programming error', () => {
    expect(() => router.broadcast('invalidated', { topics: ['everything'] } as never)).toThrow();
    expect(pushed).toEqual([]);
  });
});

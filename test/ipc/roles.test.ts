/** The table of permissions against the program as it is composed: every channel, every command, every role. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { programFiles } from '../../electron/adapters/system/program.ts';
import { runCli } from '../../electron/cli/run.ts';
import type { Console } from '../../electron/compose.ts';
import { registerHandlers } from '../../electron/ipc/handlers.ts';
import { createRouter, type RouterIpc, type SenderEvent } from '../../electron/ipc/router.ts';
import { createDesk, type DeskControl } from '../../electron/main/desk.ts';
import { CHANNEL_NAMES, type ChannelName } from '../../shared/contract/channel-names.ts';
import type { Result } from '../../shared/contract/result.ts';
import { isPermitted, PERMISSIONS, type Role, roleSchema } from '../../shared/domain/operator/operator.ts';
import {
  consoleFactory,
  makeWorkspace,
  OPEN_POLICY,
  PEOPLE,
  ROOT,
  secretFile,
  VAULT_PASSPHRASE,
} from '../support/console.ts';
import { CHANNEL_NEEDS, callOf, commandsOf, type Targets } from '../support/permitted.ts';
import { seedRecords } from '../support/records.ts';

const ROLES = roleSchema.options;
const PASSPHRASE = 'everybody signs in with this';
const frame = { url: 'app://console/', parent: null };
const sender: SenderEvent = { sender: { mainFrame: frame }, senderFrame: frame };

let folder: string;
let vaultPath: string;
let targets: Targets;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-'));
  const workspace = await makeWorkspace(folder);
  vaultPath = workspace.vault;
  const opened = await consoleFactory().open(vaultPath, VAULT_PASSPHRASE);
  const { services, vault } = opened;
  const ana = await services.session.signIn({ operator: 'ana', passphrase: PEOPLE.ana.passphrase });
  for (const role of ROLES)
    await services.operators.add(ana, { name: role, person: role, roles: [role], passphrase: PASSPHRASE });
  const dora = await services.operators.add(ana, {
    name: 'dora',
    person: 'Dora',
    roles: ['auditor'],
    passphrase: PASSPHRASE,
  });
  const records = seedRecords(vault.store, workspace.production, ana);
  await opened.close();
  targets = {
    ...records,
    operatorId: dora.id,
    environmentId: workspace.production.id,
    policy: OPEN_POLICY,
    nowhere: join(folder, 'nowhere'),
    passphrase: PASSPHRASE,
  };
});
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

interface Window {
  readonly desk: DeskControl;
  readonly opened: Console;
  call(channel: ChannelName, input: unknown): Promise<Result<unknown>>;
}

async function openWindow(): Promise<Window> {
  const factory = consoleFactory();
  const desk = createDesk({
    factory,
    vaultPath,
    runtime: 'test',
    version: '0',
    events: {},
    onChange: () => {},
    onProgress: () => {},
  });
  const listeners = new Map<string, Parameters<RouterIpc['handle']>[1]>();
  const router = createRouter({
    ipcMain: { handle: (channel, listener) => void listeners.set(channel, listener) },
    isTrustedSender: () => true,
    receivers: () => [],
    log: { error: () => {} },
  });
  registerHandlers(router, desk);
  router.open();
  const opened = await factory.open(vaultPath, VAULT_PASSPHRASE);
  desk.adopt(opened, null);
  return {
    desk,
    opened,
    call: async (channel, input) => (await listeners.get(channel)?.(sender, input)) as Result<unknown>,
  };
}

const outcomeOf = (result: Result<unknown>): string => (result.ok ? 'done' : result.error.code);
const called = CHANNEL_NAMES.filter((channel) => CHANNEL_NEEDS[channel] !== 'other');

// The command line first: what is allowed in the window changes what the commands are about.
describe('on the command line, which is no way round', () => {
  async function run(role: Role, args: readonly string[]): Promise<{ code: number; said: string }> {
    let stdout = '';
    const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      stdout += String(text);
      return true;
    });
    const err = vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    try {
      const code = await runCli(
        [
          ...['--vault', vaultPath, '--json', '--as', role],
          ...['--passphrase-file', join(folder, 'vault.pass')],
          ...['--operator-passphrase-file', join(folder, 'operator.pass')],
          ...args,
        ],
        { files: programFiles(join(ROOT, 'electron', 'cli'), 'index.ts'), workFactor: 10 },
      );
      const document = JSON.parse(stdout === '' ? '{}' : stdout) as { error?: { code: string } };
      return { code, said: document.error?.code ?? 'done' };
    } finally {
      out.mockRestore();
      err.mockRestore();
      process.exitCode = undefined;
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeAllListeners(signal);
    }
  }

  beforeAll(async () => {
    await secretFile(folder, 'vault.pass', VAULT_PASSPHRASE);
    await secretFile(folder, 'operator.pass', PASSPHRASE);
    await secretFile(folder, 'new.pass', 'short');
    mkdirSync(targets.nowhere, { recursive: true });
    writeFileSync(join(targets.nowhere, 'policy.yaml'), stringify(OPEN_POLICY));
  });

  test.each(ROLES)('what the table closes to a %s is refused with exit code 4', async (role) => {
    const commands = commandsOf({ ...targets, secretFile: join(folder, 'new.pass') });
    let refused = 0;
    for (const [args, needed] of commands) {
      if (isPermitted([role], needed)) continue;
      refused++;
      expect([args.join(' '), await run(role, args)]).toEqual([
        args.join(' '),
        { code: 4, said: 'refused.role' },
      ]);
    }
    expect(refused).toBeGreaterThan(5);
  });
});

describe('in the window', () => {
  let window: Window;
  beforeAll(async () => {
    window = await openWindow();
  });
  afterAll(() => window.desk.close());

  const refusals = () =>
    [...window.opened.vault.store.read.audit.entries()].filter(({ action }) => action === 'refused');

  test('nothing but what needs nobody is answered while nobody is signed in', async () => {
    for (const channel of called) {
      const outcome = outcomeOf(await window.call(channel, callOf(targets)[channel]));
      if (CHANNEL_NEEDS[channel] === 'anybody') expect(outcome, channel).not.toBe('locked');
      else expect(outcome, channel).toBe('locked');
    }
  });

  // Refused first: what an allowed call does may take away what the others are about.
  for (const allowed of [false, true]) {
    test.each(ROLES)(
      `every channel ${allowed ? 'open to' : 'closed to'} a %s is so, as the table says`,
      async (role) => {
        await window.desk.signIn(role, PASSPHRASE);
        for (const channel of called) {
          const needed = CHANNEL_NEEDS[channel];
          const permitted =
            !(needed in PERMISSIONS) || isPermitted([role], needed as keyof typeof PERMISSIONS);
          if (permitted !== allowed) continue;
          const before = refusals().length;
          const outcome = outcomeOf(await window.call(channel, callOf(targets)[channel]));
          const added = refusals().slice(before);
          if (allowed) {
            expect([channel, outcome]).not.toEqual([channel, 'refused.role']);
            expect([channel, outcome]).not.toEqual([channel, 'locked']);
            expect([channel, outcome]).not.toEqual([channel, 'unexpected']);
            expect([channel, added]).toEqual([channel, []]);
          } else {
            expect([channel, outcome]).toEqual([channel, 'refused.role']);
            expect([channel, added.map(({ actor, details }) => [actor, details.permission])]).toEqual([
              channel,
              [[role, needed]],
            ]);
          }
        }
      },
    );
  }
});

/** A rollback whose process was killed: whoever comes next finishes it, once, and writes it down. */
import { describe, expect, test } from 'vitest';
import { SallyportError } from '../../shared/domain/errors.ts';
import { type Stage, stage } from '../support/release-stage.ts';

const INTENTS = 'rollouts.rollbacks';

/** 1.1.0 serves and 1.0.0 did before. */
async function serving(): Promise<Stage> {
  const at = await stage();
  at.rollouts.start();
  for (const version of ['1.0.0', '1.1.0']) {
    const { id } = await at.approved(version, { strategy: 'direct', steps: [100] });
    const { state } = await at.rollouts.deploy(at.ben, { requestId: id, target: 'production' });
    expect((await at.rollouts.finished(state.id)).state.phase).toBe('completed');
  }
  return at;
}

/** What a process leaves that was killed after it had kept the wish. `stable` is what it saw being served. */
function leave(at: Stage, stable: string): void {
  const [endpoint] = at.vault.store.read.endpoints();
  const intent = {
    key: 'rollback/left',
    name: 'phish',
    target: 'production',
    to: null,
    actor: at.ben,
    before: { [endpoint?.id ?? '']: { stable, canary: null } },
  };
  at.vault.store.transaction((tx) => tx.setSetting(INTENTS, JSON.stringify([intent])));
}

const served = async (at: Stage): Promise<string | undefined> =>
  (await at.endpoint.connector.connect(at.endpoint.endpoint, async () => at.endpoint.token).models())[0]
    ?.stable?.version;
const newest = (at: Stage) => [...at.vault.store.read.audit.entries()].at(-1);
const champion = (at: Stage) => at.vault.store.read.aliasedVersion('phish', 'champion')?.version;

describe('a rollback that a killed process had asked for', () => {
  test('is done, written down in its operator’s name, and the champion moves', async () => {
    const at = await serving();
    leave(at, '1.1.0');
    await at.rollouts.settled();
    expect([await served(at), champion(at)]).toEqual(['1.0.0', '1.0.0']);
    expect(newest(at)).toMatchObject({
      action: 'rollout.rolled-back',
      actor: 'ben',
      details: { from: '1.1.0', to: '1.0.0', endpoints: 1, of: 1 },
    });
  });

  test('is only written down where the endpoint had done it before the kill', async () => {
    const at = await serving();
    const client = at.endpoint.connector.connect(at.endpoint.endpoint, async () => at.endpoint.token);
    await client.rollback('phish', { key: 'rollback/left', to: null });
    const generation = (await client.models())[0]?.generation;
    leave(at, '1.1.0');
    await at.rollouts.settled();
    expect((await client.models())[0]?.generation).toBe(generation);
    expect(newest(at)).toMatchObject({ action: 'rollout.rolled-back', details: { to: '1.0.0' } });
  });

  test('waits for an endpoint that does not answer', async () => {
    const at = await serving();
    at.endpoint.failure = new SallyportError('endpoint.unreachable', 'Nobody answers.');
    leave(at, '1.1.0');
    await expect.poll(() => at.errors.length).toBeGreaterThan(0);
    expect(at.vault.store.read.setting(INTENTS)).toContain('rollback/left');
    at.endpoint.failure = null;
    await at.rollouts.settled();
    expect(await served(at)).toBe('1.0.0');
  });

  test('is given up, and said to be, where the endpoint refuses', async () => {
    const at = await serving();
    leave(at, '1.1.0');
    at.endpoint.failure = new SallyportError('endpoint.refused', 'Not here.');
    await at.rollouts.settled();
    at.endpoint.failure = null;
    expect(await served(at)).toBe('1.1.0');
    expect(newest(at)).toMatchObject({ action: 'rollout.failed', details: { reason: 'Not here.' } });
  });
});

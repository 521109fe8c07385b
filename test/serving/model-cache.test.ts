/** Versions that go from memory when there is no room, and come back when somebody asks. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { ApiDocument } from '../support/openapi.ts';
import { makeRelease, makeSite, thresholdModel } from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';

const versions = async (on: Stage): Promise<string[]> => {
  const answer = await fetch(`${on.agent.predictUrl}/models/phish/versions`, {
    headers: { authorization: `Bearer ${on.agent.token}` },
  });
  const body = (await answer.json()) as { versions: { version: string; role: string }[] };
  return body.versions.map(({ version, role }) => `${version} ${role}`);
};

const metric = async (on: Stage, name: string): Promise<number> => {
  const answer = await fetch(`${on.agent.adminUrl}/metrics`, {
    headers: { authorization: `Bearer ${on.agent.token}` },
  });
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(await answer.text())?.[1]);
};

describe('given room for the versions with traffic alone', () => {
  let on: Stage;
  beforeAll(async () => {
    const site = makeSite();
    on = await onAgent(site, await startAgent({ ...site, config: { engine: { cacheBytes: 1 } } }));
    for (const [serial, version] of ['1.0.0', '1.1.0', '1.2.0', '1.3.0'].entries())
      await on.serve(makeRelease(site, { version, serial: serial + 1, model: thresholdModel(0.5 + serial) }));
  });
  afterAll(() => on.agent.remove());

  test('the version before is not kept in memory', async () => {
    await expect.poll(() => versions(on)).toEqual(['1.3.0 stable']);
    expect(await metric(on, 'sallyport_models_limit_bytes')).toBe(1);
    await expect.poll(() => metric(on, 'sallyport_models_loaded')).toBe(1);
  });

  test('every version that was served here and is kept answers when it is named, however often it was unloaded', async () => {
    for (let round = 0; round < 2; round++) {
      const asked = ['1.0.0', '1.2.0', '1.1.0', '1.3.0'].map(async (version) => {
        const { status, body } = await on.predict([0.5, 1, 0.7], { version });
        return [status, body.model_version, body.predictions];
      });
      expect(await Promise.all(asked)).toEqual([
        [200, '1.0.0', [1]],
        [200, '1.2.0', [0]],
        [200, '1.1.0', [1]],
        [200, '1.3.0', [0]],
      ]);
      await expect.poll(() => metric(on, 'sallyport_models_loaded')).toBe(1);
    }
    expect(await metric(on, 'sallyport_model_unloads_total')).toBeGreaterThanOrEqual(6);
    expect((await on.predict([1, 1, 1], { version: '9.0.0' })).status).toBe(404);
  });

  test('its inputs and outputs are told, too, as long as it is kept', async () => {
    const ask = async (version: string) => {
      const answer = await fetch(`${on.agent.predictUrl}/v2/models/phish/versions/${version}`, {
        headers: { authorization: `Bearer ${on.agent.token}` },
      });
      return [answer.status, await answer.json()];
    };
    expect(await ask('1.1.0')).toMatchObject([200, { inputs: [{ name: 'features', datatype: 'FP32' }] }]);
    expect(await ask('9.0.0')).toMatchObject([404, {}]);
  });

  test('given one whose file was damaged meanwhile, then it is refused as our fault and not the caller’s', async () => {
    const state = JSON.parse(await readFile(join(on.agent.directory, 'state/state.json'), 'utf8')) as {
      served: { root: string; version: string }[];
    };
    const root = state.served.find(({ version }) => version === '1.1.0')?.root ?? '';
    const file = join(on.agent.directory, 'state/releases', root, 'model.onnx.age');
    const whole = await readFile(file);
    const document = ApiDocument.read(on.agent.predictUrl, on.agent.token);
    await writeFile(file, whole.subarray(0, whole.length - 20));
    expect((await on.predict([1, 1, 1], { version: '1.1.0' })).status).toBe(503);
    for (const what of ['', '/ready', '/config', '/stats'])
      expect(
        await (await document).ask({
          operation: `GET /v2/models/{model}/versions/{version}${what}`,
          path: { model: 'phish', version: '1.1.0' },
        }),
      ).toMatchObject({ status: 503, body: expect.stringContaining('cannot be served') });
    await writeFile(file, whole);
    expect((await on.predict([1, 1, 1], { version: '1.1.0' })).status).toBe(200);
  });

  test('many who name an unloaded version at once wait for one load', async () => {
    const loads = () => metric(on, 'sallyport_model_loads_total\\{result="success"\\}');
    const before = await loads();
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => on.predict([1, 1, 1], { version: '1.0.0' })),
    );
    expect(answers.map(({ status }) => status)).toEqual(new Array(20).fill(200));
    expect((await loads()) - before).toBe(1);
  });

  test('rolling back loads the version before again', async () => {
    await on.client.rollback('phish', { key: 'back', to: null });
    const { body } = await on.predict([0.5, 1, 0.7]);
    expect([body.model_version, body.predictions]).toEqual(['1.2.0', [0]]);
  });
});

test('a provider that the runtime lacks here stops the agent at its start, by name', async () => {
  const site = makeSite();
  const start = startAgent({ ...site, config: { engine: { executionProviders: ['coreml', 'cpu'] } } });
  await expect(start).rejects.toThrow(
    /agent\.yaml:\d+:\d+: engine\.executionProviders\.0: The runtime has no coreml here; it has cpu/,
  );
});

/** What an agent answers whose disk is full, held against its own document. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { generateCheckpointKey, signCheckpoint } from '../../shared/node/checkpoint/index.ts';
import { startAgent } from '../support/agent.ts';
import { ApiDocument } from '../support/openapi.ts';
import { makeRelease, makeRevocation, makeSite, type Site, thresholdModel } from '../support/release.ts';
import { type SmallDisk, smallDisk } from '../support/small-disk.ts';
import { onAgent, type Stage } from './support.ts';

const NONCE = 'n'.repeat(22);
const notes = generateCheckpointKey('vault');

describe('an agent whose disk is full', () => {
  let disk: SmallDisk | null;
  let site: Site;
  let on: Stage;
  let admin: ApiDocument;
  let releases: ReturnType<typeof makeRelease>[];
  beforeAll(async () => {
    disk = smallDisk(8);
    if (disk === null) return;
    site = makeSite({ vaultId: 'vault', checkpointKey: notes.vkey });
    const limits = { reserveBytes: 65_536 };
    on = await onAgent(site, await startAgent({ ...site, folder: disk.path, limits }));
    releases = [1, 2].map((serial) =>
      makeRelease(site, { version: `1.${serial}.0`, serial, model: thresholdModel(serial) }),
    );
    for (const each of releases) await on.serve(each);
    admin = await ApiDocument.read(on.agent.adminUrl, on.agent.token);
  });
  afterAll(async () => {
    disk?.empty();
    await on?.client.close();
    await on?.agent.remove();
    disk?.remove();
  });
  beforeEach((context) => {
    if (disk === null) context.skip('this machine does not let a test mount a disk');
  });

  test('changes are answered 507 with the reason, and what was served is served', async () => {
    const path = { name: 'phish' };
    const [first, second] = releases;
    if (!first || !second) throw new Error('there are two');
    const note = signCheckpoint({ origin: 'sallyport/vault', size: 10, root: 'ab'.repeat(32) }, notes.skey);
    disk?.fill();
    try {
      for (const [operation, body, where] of [
        ['POST /admin/v1/models/{name}/rollback', { key: 'back', to: null, nonce: NONCE }, path],
        [
          'POST /admin/v1/models/{name}/routing',
          { key: 'r', expectedGeneration: 2, stableRoot: first.root, canary: null, nonce: NONCE },
          path,
        ],
        ['POST /admin/v1/revocations', { ...makeRevocation(site, first, 1), nonce: NONCE }, {}],
        ['POST /admin/v1/checkpoints/{vaultId}', { note }, { vaultId: site.vaultId }],
      ] as const) {
        const { status, body: text } = await admin.ask({ operation, body, path: where });
        expect(status, `${operation}: ${text}`).toBe(507);
        expect(text).toMatch(/disk is full|no room/);
      }
      expect((await on.predict([1, 1, 1])).body.model_version).toBe('1.2.0');
    } finally {
      disk?.empty();
    }
    expect((await on.client.models())[0]).toMatchObject({ generation: 2, stable: { version: '1.2.0' } });
  });

  test('given there is room again, then the same change is made', async () => {
    const answer = await admin.ask({
      operation: 'POST /admin/v1/models/{name}/rollback',
      body: { key: 'back', to: null, nonce: NONCE },
      path: { name: 'phish' },
    });
    expect(answer.status).toBe(200);
    expect((await on.predict([1, 1, 1])).body.model_version).toBe('1.1.0');
  });
});

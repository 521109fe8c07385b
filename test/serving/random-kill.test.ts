/** kill -9 at random moments of changes: what was answered is kept, and what is served is what the routing says. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Receipt } from '../../shared/domain/endpoint/endpoint.ts';
import { startAgent } from '../support/agent.ts';
import { makeRelease, makeRevocation, makeSite, type Site, thresholdModel } from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';

const SEED = Number(process.env.KILL_SEED ?? 11);
const ROUNDS = Number(process.env.KILL_ROUNDS ?? 2);

let site: Site;
let on: Stage;
beforeAll(async () => {
  site = makeSite();
  on = await onAgent(site, await startAgent({ ...site, limits: { guardMs: 60_000 } }));
});
afterAll(async () => {
  await on.client.close();
  await on.agent.remove();
});

/** A generator whose numbers a seed repeats (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const routed = async () => {
  const [model] = await on.client.models();
  if (!model) throw new Error('nothing is routed');
  return model;
};

test(`given it is killed at random moments of pushes, canaries, rollbacks and a revocation (seed ${SEED}), then it comes back sound, and every receipt is answered again`, async () => {
  const next = random(SEED);
  const made = (serial: number) =>
    makeRelease(site, { version: `1.${serial}.0`, serial, model: thresholdModel(serial) });
  await on.serve(made(1));
  await on.serve(made(2));
  for (let round = 0; round < ROUNDS; round++) {
    const receipts: { again: () => Promise<Receipt>; receipt: Receipt }[] = [];
    const fresh = made(3 + round);
    const work = (async () => {
      for (let step = 0; ; step++) {
        const before = await routed();
        const key = `${round}-${step}`;
        const change =
          step % 3 === 1
            ? () =>
                on.client.route('phish', {
                  key,
                  expectedGeneration: before.generation,
                  stableRoot: before.stable?.root ?? null,
                  canary: { root: fresh.root, percent: 10, mirrorSample: 0, salt: 'a-plan-salt' },
                })
            : () => on.client.rollback('phish', { key, to: null });
        if (step === 0) await on.client.push(fresh, () => {});
        receipts.push({ again: change, receipt: await change() });
      }
    })().catch(() => null);
    await new Promise((resolve) => setTimeout(resolve, 20 + next() * 400));
    await on.agent.kill();
    await work;
    await on.agent.restart();

    const now = await routed();
    const answered = receipts.at(-1)?.receipt.model;
    expect(now.generation).toBeGreaterThanOrEqual(answered?.generation ?? 0);
    // At most the one change that was under way came after the last answer.
    expect(now.generation).toBeLessThanOrEqual((answered?.generation ?? now.generation) + 1);
    for (const { again, receipt } of receipts) expect((await again()).model).toEqual(receipt.model);
    expect(await routed()).toEqual(now);
    const headers = { 'x-routing-key': 'a caller' };
    const { status, body } = await on.predict([1, 1, 1], { headers });
    expect(status).toBe(200);
    expect([now.stable?.version, now.canary?.version]).toContain(body.model_version);
  }

  const { stable } = await routed();
  const revoked = {
    request: { name: 'phish', version: stable?.version ?? '', digest: stable?.digest ?? '' },
  };
  const revoking = on.client.revoke(makeRevocation(site, revoked, 1)).then(
    () => true,
    () => false,
  );
  await new Promise((resolve) => setTimeout(resolve, next() * 30));
  await on.agent.kill();
  const obeyed = await revoking;
  await on.agent.restart();
  const held = await on.client.revocations();
  // Answered, it is kept; not answered, it is there whole or not at all.
  if (obeyed) expect(held).toHaveLength(1);
  const digests = Object.values(await routed()).map((slot) =>
    typeof slot === 'object' && slot !== null && 'digest' in slot ? slot.digest : null,
  );
  if (held.length > 0) expect(digests).not.toContain(stable?.digest);
  else expect((await routed()).stable).toEqual(stable);
});

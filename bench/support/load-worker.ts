/**
 * A load generator in a process of its own, so that it does not share the measured program's or the bench's event loop.
 * Open loop: requests leave at a fixed rate whether or not earlier ones were answered, and their time counts from when
 * they should have left; a slow server cannot slow the questions down. Rate 0 = closed loop: as fast as it answers.
 */
import { Agent } from 'undici';
import type { LoadReport, LoadRequest, Switch } from './load.ts';

async function run(request: LoadRequest): Promise<LoadReport> {
  const dispatcher = new Agent({ connections: request.connections, pipelining: 1, keepAliveTimeout: 60_000 });
  const latencies: number[] = [];
  const failures: Record<string, number> = {};
  const switches: Switch[] = [];
  const versions: Record<string, number> = {};
  let sent = 0;
  let next = 0;
  const target = new URL(request.url);

  const ask = async (dueAt: number): Promise<void> => {
    sent++;
    const body = request.bodies[next++ % request.bodies.length] ?? '';
    try {
      const answer = await dispatcher.request({
        origin: target.origin,
        path: target.pathname,
        method: 'POST',
        headers: { 'content-type': 'application/json', ...request.headers },
        body,
        bodyTimeout: 10_000,
        headersTimeout: 10_000,
      });
      const text = await answer.body.text();
      const now = performance.now();
      latencies.push(now - dueAt);
      if (answer.statusCode !== 200) throw new Error(`status ${answer.statusCode}`);
      if (request.versionField !== null) {
        const version = String((JSON.parse(text) as Record<string, unknown>)[request.versionField]);
        if (versions[version] === undefined)
          switches.push({ version, atEpochMs: performance.timeOrigin + now });
        versions[version] = (versions[version] ?? 0) + 1;
        const last = switches[switches.length - 1];
        if (last !== undefined && last.version !== version) {
          switches.push({ version, atEpochMs: performance.timeOrigin + now });
        }
      }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      failures[reason] = (failures[reason] ?? 0) + 1;
    }
  };

  const started = performance.now();
  const end = started + request.durationMs;
  if (request.ratePerSecond > 0) {
    const pending = new Set<Promise<void>>();
    const total = Math.round((request.ratePerSecond * request.durationMs) / 1000);
    for (let index = 0; index < total; ) {
      const now = performance.now();
      // Everything that is due leaves at once: a late timer delays no request's clock.
      for (; index < total; index++) {
        const dueAt = started + (index * 1000) / request.ratePerSecond;
        if (dueAt > now) break;
        const one = ask(dueAt).finally(() => pending.delete(one));
        pending.add(one);
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(pending);
  } else {
    const lane = async (): Promise<void> => {
      while (performance.now() < end) await ask(performance.now());
    };
    await Promise.all(Array.from({ length: request.connections }, lane));
  }
  const seconds = (performance.now() - started) / 1000;
  await dispatcher.destroy();
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  return { sent, failed, failures, seconds, latencies, switches, versions };
}

process.on('message', (request: LoadRequest) => {
  run(request)
    .then((report) => process.send?.({ report }))
    .catch((error: unknown) => process.send?.({ problem: String(error) }));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: true });

import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { startAgent } from '../support/agent.ts';
import { kindOf, type Malformed, malformed } from '../support/malformed.ts';
import { LIVE_UPLOAD } from '../support/malformed-uploads.ts';
import { makeRelease, makeSite } from '../support/release.ts';
import { onAgent, type Stage } from './support.ts';
import { TUS, tusCaller } from './tus-support.ts';

const RUNS = Number(process.env.FUZZ_RUNS ?? 10_000);
const SEED = Number(process.env.FUZZ_SEED ?? 1);
const AT_ONCE = 16;
/** How long a request may go unanswered before its sender says that no more of it comes, in milliseconds. */
const PATIENCE_MS = 60;
/** What the heap may grow by before it has been collected, in bytes; a leak of one body a request is far above it. */
const SLACK_BYTES = 96 * 1024 * 1024;

/** Statuses of everything that came back until the connection ended. */
async function send(port: number, { bytes }: Malformed): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    // A half-closed connection is not answered any more: what takes a turn of the agent's loop would not be seen.
    let ending = setTimeout(() => socket.end(), PATIENCE_MS);
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      clearTimeout(ending);
      ending = setTimeout(() => socket.end(), PATIENCE_MS / 2);
    });
    // A reset by an agent that has seen enough is an end like another; a refused connection is a crash.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') reject(error);
    });
    socket.on('close', () => {
      clearTimeout(ending);
      resolve([...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1])));
    });
    socket.write(bytes);
  });
}

interface Footprint {
  readonly rss: number;
  readonly files: number;
  readonly inFlight: number;
}

async function footprint(on: Stage): Promise<Footprint> {
  const headers = { authorization: `Bearer ${on.agent.token}`, connection: 'close' };
  const text = await (await fetch(`${on.agent.adminUrl}/metrics`, { headers })).text();
  const value = (name: string): number =>
    Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  return {
    rss: value('process_resident_memory_bytes'),
    files: value('process_open_fds'),
    inFlight: value('model_predictions_in_flight'),
  };
}

/** A release that was opened, and an upload of its model: another one whenever the last is not there any more. */
async function openedRelease(on: Stage): Promise<{ root: string; upload: () => Promise<string> }> {
  const tus = tusCaller(on.agent);
  const made = makeRelease(on.site, { version: '1.1.0', serial: 2 });
  expect((await tus.open(made)).status).toBe(200);
  let upload = tus.begun(made.root, 'model.onnx', 100);
  const alive = async (path: string): Promise<string> =>
    (await tus.ask('HEAD', path, TUS)).status === 200 ? path : tus.begun(made.root, 'model.onnx', 100);
  return {
    root: made.root,
    upload: () => {
      upload = upload.then(alive);
      return upload;
    },
  };
}

test(
  `given ${RUNS} malformed requests (seed ${SEED}), then none is answered 5xx but 503, and the agent goes on, no larger than before`,
  async () => {
    const site = makeSite();
    const agent = await startAgent({
      ...site,
      limits: {
        bodyBytes: 65_536,
        headersTimeoutMs: 500,
        requestTimeoutMs: 1000,
        addressRequestsPerSecond: 0,
      },
    });
    onTestFinished(() => agent.remove());
    const on = await onAgent(site, agent);
    await on.serve(makeRelease(site));
    const { pid } = agent;
    const ports = {
      predict: Number(new URL(agent.predictUrl).port),
      admin: Number(new URL(agent.adminUrl).port),
    };
    const opened = await openedRelease(on);
    const target = { host: '127.0.0.1', token: agent.token, root: opened.root };

    const statuses = new Map<number, number>();
    const ofUploads = new Set<number>();
    const wrong: { at: number; kind: string; status: number }[] = [];
    const run = async (from: number, to: number): Promise<void> => {
      let next = from;
      const worker = async (): Promise<void> => {
        while (next < to) {
          const at = next++;
          const live = kindOf(at) === LIVE_UPLOAD;
          const sent = malformed(SEED, at, live ? { ...target, upload: await opened.upload() } : target);
          for (const status of await send(ports[sent.listener], sent)) {
            if (live) ofUploads.add(status);
            statuses.set(status, (statuses.get(status) ?? 0) + 1);
            if (status >= 500 && status !== 503) wrong.push({ at, kind: sent.kind, status });
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
    };
    // Code is compiled and buffers are made in the beginning: what counts is what is added later.
    await run(0, Math.floor(RUNS / 4));
    const before = await footprint(on);
    await run(Math.floor(RUNS / 4), RUNS);

    expect(wrong).toEqual([]);
    expect((await on.predict([1, 1, 1])).body.predictions).toEqual([1]);
    await on.agent.command('token', 'list', '--config', agent.configFile);
    expect(process.kill(pid, 0)).toBe(true);
    await expect
      .poll(async () => (await footprint(on)).files, { timeout: 10_000 })
      .toBeLessThanOrEqual(before.files + 4);
    const after = await footprint(on);
    expect(after.inFlight).toBe(0);
    expect(after.rss - before.rss).toBeLessThan(SLACK_BYTES);
    expect(agent.log()).not.toMatch(/unhandled|uncaught/i);
    // They got through to where they should: refused by the door, by the parsers and by the routes; some were even good.
    for (const status of [200, 400, 401, 404, 415, 422, 431])
      expect(statuses.get(status) ?? 0, `answers ${status}`).toBeGreaterThan(0);
    for (const status of [200, 201, 204, 400, 404, 409, 412])
      expect(ofUploads, 'answers about uploads').toContain(status);
  },
  Math.max(180_000, RUNS * 40),
);

/**
 * Plays a traffic file against a predict listener at a fixed rate, open loop: a slow answer does not slow the next
 * request down. Entry of a child process; its configuration arrives as its first message, counts leave once a second.
 */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'undici';
import { openWorkerPort } from '../../shared/node/worker-port.ts';

export interface PlayerConfig {
  readonly predictUrl: string;
  readonly token: string;
  readonly model: string;
  readonly trafficFile: string;
  /** Names of the feature columns, in the model's order. */
  readonly features: readonly string[];
  readonly requestsPerSecond: number;
}

export interface PlayerCounts {
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  /** Answers by version. */
  readonly versions: Readonly<Record<string, number>>;
  readonly lastFailure: string;
}

const port = openWorkerPort();
port.onMessage((message) => void play(message as PlayerConfig));

async function play(config: PlayerConfig): Promise<void> {
  const bodies = await readBodies(config);
  const dispatcher = new Agent({ connections: 16, pipelining: 1 });
  let sent = 0;
  let answered = 0;
  let failed = 0;
  let lastFailure = '';
  const versions: Record<string, number> = {};
  const ask = async (body: string) => {
    try {
      const answer = await request(`${config.predictUrl}/predict`, {
        method: 'POST',
        body,
        dispatcher,
        headers: { 'content-type': 'application/json', authorization: `Bearer ${config.token}` },
        headersTimeout: 10_000,
        bodyTimeout: 10_000,
      });
      const document = (await answer.body.json()) as { model_version?: string; detail?: unknown };
      if (answer.statusCode !== 200)
        throw new Error(`${answer.statusCode} ${JSON.stringify(document.detail ?? '')}`);
      answered++;
      const version = document.model_version ?? '?';
      versions[version] = (versions[version] ?? 0) + 1;
    } catch (error) {
      failed++;
      lastFailure = error instanceof Error ? error.message : String(error);
    }
  };
  const began = performance.now();
  setInterval(() => {
    const due = Math.floor(((performance.now() - began) / 1000) * config.requestsPerSecond);
    // After a long stall the backlog is not sent in one burst: it would measure the stall, not the endpoint.
    if (due - sent > config.requestsPerSecond) sent = due - config.requestsPerSecond;
    while (sent < due) {
      void ask(bodies[sent % bodies.length] ?? '');
      sent++;
    }
  }, 5);
  const report = () =>
    port.postMessage({ sent, answered, failed, versions, lastFailure } satisfies PlayerCounts);
  setInterval(report, 200);
}

/** Request bodies, one a row, made once. The sample file has plain cells: no quotes in feature columns. */
async function readBodies({ trafficFile, features, model }: PlayerConfig): Promise<string[]> {
  const [head = '', ...lines] = (await readFile(trafficFile, 'utf8')).trimEnd().split('\n');
  const columns = head.split(',');
  const wanted = features.map((name) => columns.indexOf(name));
  const missing = features.filter((_, i) => wanted[i] === -1);
  if (missing.length > 0) throw new Error(`The traffic file has no column ${missing[0]}.`);
  return lines.map((line) => {
    const cells = line.split(',');
    return JSON.stringify({ model_name: model, features: wanted.map((at) => Number(cells[at])) });
  });
}

/** The peer under the same kills: what a registry in one JSON file loses. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomFrom } from '../harness/random.ts';

const SCRIPT = join(import.meta.dirname, 'json-registry.ts');
/** Entries already there: a registry worth losing. */
const ENTRIES = 10_000;
const KILLS = 50;
/** Entries each of two processes adds to an empty registry. */
const TOGETHER = 500;

export interface PeerFigures {
  readonly kills: number;
  /** The index was no JSON any more: everything in it is gone. */
  readonly indexLost: number;
  readonly acknowledgedLost: number;
  readonly registered: number;
  readonly kept: number;
}

function write(index: string, writer: string, count: number, killAfterMs: number | null): Promise<string[]> {
  const child = spawn(process.execPath, [SCRIPT, index, writer, String(count)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    if (text === '' && killAfterMs !== null) setTimeout(() => child.kill('SIGKILL'), killAfterMs);
    text += piece;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve(text.split('\n').slice(1, -1)));
  });
}

/** Names in an index, or null where it cannot be read any more. */
function namesIn(index: string): Set<string> | null {
  try {
    const entries = JSON.parse(readFileSync(index, 'utf8')) as { name: string; version: string }[];
    return new Set(entries.map(({ name, version }) => `${name}@${version}`));
  } catch {
    return null;
  }
}

export async function peerFigures(directory: string, seed: number, kills = KILLS): Promise<PeerFigures> {
  mkdirSync(directory, { recursive: true });
  const full = JSON.stringify(
    Array.from({ length: ENTRIES }, (_, at) => ({
      name: 'old',
      version: `1.${at}.0`,
      digest: 'd'.repeat(64),
    })),
    null,
    2,
  );
  const random = randomFrom(seed);
  let indexLost = 0;
  let acknowledgedLost = 0;
  for (let kill = 0; kill < kills; kill++) {
    const index = join(directory, `index-${kill}.json`);
    writeFileSync(index, full);
    const said = await write(index, 'new', 10_000, 20 + random() * 200);
    const names = namesIn(index);
    if (names === null) indexLost++;
    acknowledgedLost +=
      names === null ? ENTRIES + said.length : said.filter((name) => !names.has(name)).length;
  }
  const shared = join(directory, 'shared.json');
  const both = await Promise.all([write(shared, 'a', TOGETHER, null), write(shared, 'b', TOGETHER, null)]);
  const names = namesIn(shared) ?? new Set<string>();
  const said = both.flat();
  return {
    kills,
    indexLost,
    acknowledgedLost,
    registered: 2 * TOGETHER,
    kept: said.filter((name) => names.has(name)).length,
  };
}

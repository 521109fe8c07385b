/** The seeded harness: chooses an operation and a moment, kills there, opens again, looks at everything. */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Order, Said } from './child.ts';
import {
  type AgentHome,
  compileWorkers,
  copyHome,
  type Home,
  makeAgentHome,
  makeHome,
  openHome,
} from './home.ts';
import { agentNow, type Before, inspectHome, recordedEffects, type Wrong } from './inspect.ts';
import { type Ack, OPERATIONS, type Operation } from './operations.ts';
import { pick, randomFrom } from './random.ts';
import { forgotten, workersEnd } from './workers.ts';

const CHILD = join(import.meta.dirname, 'child.ts');
/** Share of kills at a named point; the others come at a random time. */
const AT_POINTS = 0.7;

/** The moment of a kill. */
export type Moment =
  | { readonly point: string; readonly passage: number }
  | { readonly share: number; readonly afterMs: number };

export interface Outcome extends Wrong {
  readonly index: number;
  readonly operation: string;
  readonly moment: Moment;
  readonly killed: boolean;
}

export interface HarnessOptions {
  readonly runs: number;
  readonly seed: number;
  /** Operations by name; all when empty. */
  readonly only?: readonly string[];
  /** Only this run of the seed, for looking at a failure again. */
  readonly run?: number | null;
  readonly directory: string;
  /** Runs side by side. */
  readonly lanes?: number;
  readonly onOutcome?: (outcome: Outcome) => void;
}

export interface HarnessReport {
  readonly outcomes: readonly Outcome[];
  /** The points each operation passes, in order, with how often. */
  readonly points: ReadonlyMap<string, readonly string[]>;
  readonly seconds: number;
}

interface Ran {
  readonly acks: Ack[];
  readonly passed: string[];
  readonly failed: string[];
  readonly workers: number[];
  readonly signal: string | null;
  readonly code: number | null;
  readonly ms: number;
}

/** Runs the child; with a time, kills it so long after it began. Resolves after it and its workers have ended. */
function runChild(order: Order, afterMs: number | null): Promise<Ran> {
  const child = spawn(process.execPath, [CHILD, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // Compiled once for all children of this harness: half of a child's start is that.
    env: { ...process.env, NODE_NO_WARNINGS: '1', NODE_COMPILE_CACHE: order.home.cache },
  });
  const ran = { acks: [] as Ack[], passed: [] as string[], failed: [] as string[], workers: [] as number[] };
  let begun = performance.now();
  let rest = '';
  const hear = (said: Said): void => {
    if ('begun' in said) {
      begun = performance.now();
      if (afterMs !== null) setTimeout(() => child.kill('SIGKILL'), afterMs);
    } else if ('passed' in said) ran.passed.push(said.passed);
    else if ('worker' in said) ran.workers.push(said.worker);
    else if ('failed' in said) ran.failed.push(said.failed);
    else ran.acks.push(said);
  };
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) hear(JSON.parse(line) as Said);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      const ms = performance.now() - begun;
      resolve({ ...ran, code, signal, ms });
    });
  });
}

interface Planned {
  readonly operation: Operation;
  readonly moment: Moment;
}

/** What is known of an operation from one run of it without a kill. */
interface Survey {
  readonly operation: Operation;
  readonly points: readonly string[];
  readonly ms: number;
}

/** The runs of a seed: first each point once, then whatever the numbers say. Run n is the same whoever asks for it. */
export function planRuns(surveys: readonly Survey[], runs: number, seed: number): Planned[] {
  const first: Planned[] = [];
  const seen = new Set<string>();
  for (const { operation, points } of surveys)
    for (const point of points) {
      if (seen.has(point)) continue;
      seen.add(point);
      first.push({ operation, moment: { point, passage: 1 } });
    }
  return Array.from({ length: runs }, (_, index) => {
    const sure = first[index];
    if (sure !== undefined) return sure;
    const random = randomFrom(Math.imul(seed, 0x9e3779b1) + index);
    const { operation, points, ms } = pick(random, surveys);
    if (random() >= AT_POINTS || points.length === 0) {
      const share = random();
      return { operation, moment: { share, afterMs: Math.round(share * ms) } };
    }
    const at = Math.floor(random() * points.length);
    const point = points[at] ?? '';
    const passage = points.slice(0, at + 1).filter((each) => each === point).length;
    return { operation, moment: { point, passage } };
  });
}

class Harness {
  readonly #directory: string;
  readonly #template: Home;
  readonly #agent: AgentHome | null;
  #agentTurn: Promise<unknown> = Promise.resolve();
  #copies = 0;

  constructor(directory: string, template: Home, agent: AgentHome | null) {
    this.#directory = directory;
    this.#template = template;
    this.#agent = agent;
  }

  /** One operation, killed or not, and what is wrong afterwards. */
  async once(operation: Operation, moment: Moment | null): Promise<{ ran: Ran; wrong: Wrong }> {
    if (operation.agent !== true) {
      const directory = join(this.#directory, `copy-${++this.#copies}`);
      mkdirSync(directory);
      try {
        return await this.#on(copyHome(this.#template, directory), operation, moment, null);
      } finally {
        rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
      }
    }
    const turn = this.#agentTurn.then(async () => {
      if (this.#agent === null) throw new Error('there is no agent');
      const { home } = this.#agent;
      return this.#on(home, operation, moment, await beforeOf(home));
    });
    this.#agentTurn = turn.catch(() => undefined);
    return turn;
  }

  async #on(home: Home, operation: Operation, moment: Moment | null, before: Before | null) {
    const kill = moment !== null && 'point' in moment ? moment : null;
    const afterMs = moment !== null && 'afterMs' in moment ? moment.afterMs : null;
    const untold = moment !== null && kill === null ? { point: 'none', passage: 1 } : kill;
    const ran = await runChild({ home, operation: operation.name, kill: untold }, afterMs);
    const survivors = await workersEnd(ran.workers);
    await forgotten(ran.workers, dirname(home.vault));
    const wrong = await inspectHome(home, ran.acks, before);
    const failed = ran.failed.map((text) => `${operation.name} failed before any kill: ${text}`);
    return { ran, wrong: { ...wrong, unsound: [...wrong.unsound, ...survivors, ...failed] } };
  }
}

async function beforeOf(home: Home): Promise<Before> {
  const opened = await openHome(home);
  try {
    return { generation: (await agentNow(opened)).generation, effects: recordedEffects(opened) };
  } finally {
    await opened.close();
  }
}

/** `work` on each item, so many side by side; the answers in the items' order. */
async function inLanes<T, R>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  const queue = [...items.entries()];
  const results: R[] = [];
  const lane = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift())
      results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

/** Surveys every operation once without a kill, then runs and kills. Everything lives in `directory`. */
export async function runHarness(options: HarnessOptions): Promise<HarnessReport> {
  const { directory, seed } = options;
  const only = options.only ?? [];
  const unknown = only.filter((name) => !OPERATIONS.some((operation) => operation.name === name));
  if (unknown.length > 0) throw new Error(`There is no operation ${unknown.join(', ')}.`);
  const operations = OPERATIONS.filter(({ name }) => only.length === 0 || only.includes(name));
  const part = (name: string): string => {
    mkdirSync(join(directory, name));
    return join(directory, name);
  };
  const template = await makeHome(part('template'));
  await compileWorkers(template);
  const agent = operations.some((operation) => operation.agent)
    ? await makeAgentHome(part('agent'), { template })
    : null;
  try {
    const harness = new Harness(directory, template, agent);
    const survey = async (operation: Operation): Promise<Survey> => {
      const { ran, wrong } = await harness.once(operation, null);
      const all = Object.values(wrong).flat();
      if (all.length > 0 || ran.code !== 0)
        throw new Error(`${operation.name} is wrong without any kill: ${[...all, ...ran.failed].join('; ')}`);
      return { operation, points: ran.passed, ms: ran.ms };
    };
    const lanes = options.lanes ?? 2;
    const surveys = await inLanes(operations, lanes, survey);
    const started = performance.now();
    const planned = planRuns(surveys, options.runs, seed).map((each, index) => ({ ...each, index }));
    const chosen = planned.filter(({ index }) => (options.run ?? index) === index);
    const outcomes = await inLanes(chosen, lanes, async ({ index, operation, moment }) => {
      const { ran, wrong } = await harness.once(operation, moment);
      const killed = ran.signal === 'SIGKILL';
      const outcome: Outcome = { ...wrong, index, operation: operation.name, moment, killed };
      options.onOutcome?.(outcome);
      return outcome;
    });
    return {
      outcomes,
      points: new Map(surveys.map(({ operation, points }) => [operation.name, points])),
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    await agent?.agent.remove();
  }
}

/** What is wrong with an outcome, in one list. */
export function problemsOf(outcome: Wrong): string[] {
  return [...outcome.lost, ...outcome.half, ...outcome.orphans, ...outcome.unsound];
}

export function momentText(moment: Moment): string {
  return 'point' in moment ? `${moment.point}#${moment.passage}` : `after ${moment.afterMs} ms`;
}

/**
 * The process that is killed: runs one operation over the real console. Says what was acknowledged, as a JSON line by
 * a synchronous write: what the parent has read was true before the kill. At the chosen passage of the chosen point it
 * kills itself, which no handler of its own can soften.
 */
import { writeSync } from 'node:fs';
import { createSystem } from '../../../electron/adapters/system/system.ts';
import type { Console } from '../../../electron/compose.ts';
import { signIn } from '../../support/console.ts';
import { type Home, openHome, type Parts, workersOf } from './home.ts';
import { OPERATIONS } from './operations.ts';

export interface Order {
  readonly home: Home;
  readonly operation: string;
  /** Which passage kills, counted from 1; null: every passage is told and nothing kills. */
  readonly kill: { readonly point: string; readonly passage: number } | null;
}

export type Said =
  | { readonly begun: true }
  | { readonly passed: string }
  | { readonly worker: number }
  | { readonly kind: string; readonly what: Readonly<Record<string, string | number>> }
  | { readonly failed: string };

const order = JSON.parse(process.argv[2] ?? '{}') as Order;
const say = (what: Said): void => void writeSync(1, `${JSON.stringify(what)}\n`);

const passages = new Map<string, number>();
const system = {
  ...createSystem(),
  reached: (point: string): void => {
    const passage = (passages.get(point) ?? 0) + 1;
    passages.set(point, passage);
    if (order.kill === null) say({ passed: point });
    else if (order.kill.point === point && order.kill.passage === passage)
      process.kill(process.pid, 'SIGKILL');
  },
};

const parts: Parts = {
  system,
  forkWorker: (entry, options) => {
    const worker = workersOf(order.home)(entry, options);
    if (worker.pid !== undefined) say({ worker: worker.pid });
    return worker;
  },
};
let opened: Console | null = null;
const open = async (): Promise<Console> => {
  opened ??= await openHome(order.home, parts);
  return opened;
};
const operation = OPERATIONS.find(({ name }) => name === order.operation);
if (operation === undefined) throw new Error(`there is no operation ${order.operation}`);
say({ begun: true });
try {
  await operation.run({
    home: order.home,
    parts,
    open,
    as: async (who) => signIn(await open(), who),
    ack: (kind, what = {}) => say({ kind, what }),
  });
} catch (error) {
  say({ failed: error instanceof Error ? `${error.message} ${error.stack ?? ''}` : String(error) });
}
await (opened as Console | null)?.close();

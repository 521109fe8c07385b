import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { TestSetReport } from '../../../shared/domain/evidence/test-data.ts';
import { createQuarantine } from '../../../shared/node/onnx/quarantine.ts';
import {
  callWorker,
  openWorkerLink,
  transferModel,
  type WorkerLink,
} from '../../../shared/node/onnx/worker-link.ts';
import type { ForkWorker } from '../../ports/processes.ts';
import type { TestDataRunner } from '../../ports/test-data.ts';
import type { TestDataTask, TestFolder } from './test-data-task.ts';
import type { TestSetVerdict } from './test-set.ts';

export interface TestDataOptions {
  readonly forkWorker: ForkWorker;
  /** For one set, milliseconds. */
  readonly deadlineMs?: number;
  readonly maxRssBytes?: number;
}

const DEFAULT_DEADLINE_MS = 120_000;
const DEFAULT_MAX_RSS_BYTES = 4 * 2 ** 30;
/** For starting a process, sending it the model and hashing the folder: the model's code does not run there. */
const READING_MS = 120_000;
const KEY = 'model';

/** A set that ends its process is an error of that set; the next has a new process, until the model did it twice. */
export function createTestDataRunner(options: TestDataOptions): TestDataRunner {
  const deadlineMs = options.deadlineMs ?? DEFAULT_DEADLINE_MS;
  const maxRssBytes = options.maxRssBytes ?? DEFAULT_MAX_RSS_BYTES;
  return {
    async run(model, folder, tolerance, job) {
      const quarantine = createQuarantine();
      let link: WorkerLink | null = null;
      const cancel = (): void => link?.close(cancelled());
      const open = async (): Promise<WorkerLink> => {
        if (job.signal.aborted) throw cancelled();
        if (link?.alive) return link;
        const opened = openWorkerLink(options.forkWorker('inference'), { maxRssBytes });
        link = opened;
        await transferModel(
          opened,
          { key: KEY, ...model, use: { kind: 'bytes' }, intraOpThreads: 1 },
          READING_MS,
        );
        return opened;
      };
      const call = async (task: TestDataTask, withinMs: number): Promise<unknown> =>
        callWorker(await open(), { type: 'task', task }, withinMs);
      const look = async (): Promise<TestFolder> =>
        (await call({ kind: 'test-folder', folder }, READING_MS)) as TestFolder;

      job.signal.addEventListener('abort', cancel);
      try {
        const { digest, sets } = await look();
        const reports: TestSetReport[] = [];
        for (const [index, set] of sets.entries()) {
          job.progress('running test data', index, sets.length);
          const started = performance.now();
          let verdict: TestSetVerdict;
          try {
            quarantine.check(model.digest);
            const task = { kind: 'test-set', key: KEY, folder: set.folder, tolerance } as const;
            verdict = (await call(task, deadlineMs)) as TestSetVerdict;
          } catch (error) {
            if (!(error instanceof SallyportError) || !error.code.startsWith('engine.')) throw error;
            if (error.facts.quarantined !== true) quarantine.record(model.digest, error.code);
            verdict = { status: 'error', reason: error.message, outputs: [] };
          }
          reports.push({ name: set.name, ...verdict, durationMs: performance.now() - started });
        }
        if ((await look()).digest !== digest)
          throw new SallyportError('dataset.invalid', `${folder} changed while it was read.`, {
            hint: 'Nothing was kept. Run it again when nobody writes to it.',
          });
        return { dataDigest: digest, sets: reports };
      } finally {
        job.signal.removeEventListener('abort', cancel);
        cancel();
      }
    },
    async readModel(path, digest) {
      const bytes = await readFile(path);
      if (createHash('sha256').update(bytes).digest('hex') !== digest)
        throw new SallyportError('conflict', `${path} changed after it was scanned.`, {
          hint: 'It was not run. Try again when nobody writes to it.',
        });
      return { bytes, digest };
    },
  };
}

function cancelled(): SallyportError {
  return new SallyportError('cancelled', 'The run was cancelled.', { hint: 'Nothing was changed.' });
}

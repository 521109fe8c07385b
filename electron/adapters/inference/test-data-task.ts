/** The inference worker's tasks for test data. */
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { TaskContext } from '../../../shared/node/onnx/worker-server.ts';
import { fingerprintFolder } from '../datasets/fingerprint.ts';
import { runTestSet, type TestSetTask, type TestSetVerdict } from './test-set.ts';

/** What is in a folder of test data. */
export interface TestFolderTask {
  readonly kind: 'test-folder';
  readonly folder: string;
}
export interface TestFolder {
  readonly digest: string;
  readonly sets: readonly { readonly name: string; readonly folder: string }[];
}

export type TestDataTask = TestFolderTask | TestSetTask;

export function isTestDataTask(task: unknown): task is TestDataTask {
  const kind = (task as { readonly kind?: unknown }).kind;
  return kind === 'test-folder' || kind === 'test-set';
}

export async function runTestDataTask(
  task: TestDataTask,
  context: Pick<TaskContext, 'bytes'>,
): Promise<TestFolder | TestSetVerdict> {
  return task.kind === 'test-folder' ? lookAtFolder(task.folder) : runTestSet(task, context);
}

function lookAtFolder(folder: string): TestFolder {
  const { digest } = fingerprintFolder(folder);
  if (existsSync(join(folder, 'output_0.pb'))) return { digest, sets: [{ name: basename(folder), folder }] };
  const sets = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name.startsWith('test_data_set_'))
    .map(({ name }) => ({ name, folder: join(folder, name) }))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  if (sets.length === 0)
    throw new SallyportError('dataset.invalid', `${folder} holds no test_data_set_* folder.`, {
      hint: 'Name the folder of one model: it holds test_data_set_0 with input_0.pb and output_0.pb, and so on.',
    });
  return { digest, sets };
}

/** Validates a large file and ends without a word, as by a power cut, when the first answers are stored. */
import { createSystem } from '../../electron/adapters/system/system.ts';
import { labelledFile } from '../../shared/domain/evidence/selection.ts';
import { consoleFactory, MODEL, QUIET, signIn, VAULT_PASSPHRASE } from '../support/console.ts';

const [vault = '', data = ''] = process.argv.slice(2);
const system = {
  ...createSystem(),
  reached: (point: string): void => {
    if (point === 'run.checkpointed') process.kill(process.pid, 'SIGKILL');
  },
};
const opened = await consoleFactory({ system }).open(vault, VAULT_PASSPHRASE);
await opened.services.validation.run(
  await signIn(opened, 'ana'),
  { name: MODEL, version: '1.0.0', data: labelledFile(data), environmentId: null, policy: null },
  QUIET,
);

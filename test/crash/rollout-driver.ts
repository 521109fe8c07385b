/**
 * Child process of the crash tests: opens the vault as the program does and drives what is unfinished. Says each saved
 * state as a JSON line by a synchronous write: what the parent has read was durable before the kill.
 * Arguments: vault folder; with a second and third one also deploys that request to that target first.
 */
import { writeSync } from 'node:fs';
import { consoleFactory, signIn, VAULT_PASSPHRASE } from '../support/console.ts';

const [vault = '', request = '', target = ''] = process.argv.slice(2);
const opened = await consoleFactory().open(vault, VAULT_PASSPHRASE, {
  onRollout: ({ state }) =>
    say({ id: state.id, phase: state.phase, step: state.step, pending: state.pending.map((e) => e.kind) }),
  onError: (error) => say({ error: error instanceof Error ? error.message : String(error) }),
});
const { rollouts } = opened.services;
rollouts.start();
if (request !== '') await rollouts.deploy(await signIn(opened, 'ben'), { requestId: request, target });
for (const { id } of opened.vault.store.read.unfinished()) {
  const { state } = await rollouts.finished(id);
  say({ id, phase: state.phase, step: state.step, pending: [] });
}
await opened.close();

function say(what: object): void {
  writeSync(1, `${JSON.stringify(what)}\n`);
}

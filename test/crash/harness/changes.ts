/**
 * One of two processes on one vault: commits so many changes through the real console, and drives whatever rollouts
 * are unfinished while it holds the lock. Says each acknowledged change by a synchronous write.
 * Arguments: home as JSON, name of this process, number of changes.
 */
import { writeSync } from 'node:fs';
import { OPEN_POLICY, QUIET, signIn } from '../../support/console.ts';
import { type Home, openHome } from './home.ts';

const [text = '{}', name = '', count = '0'] = process.argv.slice(2);
const home = JSON.parse(text) as Home;
const opened = await openHome(home);
const { services, vault } = opened;
services.rollouts.start();
const ana = await signIn(opened, 'ana');
writeSync(1, `${JSON.stringify({ lock: vault.acquireEffectsLock() })}\n`);
for (let change = 0; change < Number(count); change++) {
  if (change % 50 === 49) {
    const ref = { name, version: `1.${change}.0` };
    await services.models.add(ana, { ...ref, path: home.model, parent: null, metadata: {} }, QUIET);
    writeSync(1, `${JSON.stringify({ version: ref })}\n`);
  } else {
    const policy = { ...OPEN_POLICY, requestHours: 1 + change };
    const made = await services.environments.add(ana, { name: `${name}-${change}`, policy });
    writeSync(1, `${JSON.stringify({ environment: made.id })}\n`);
  }
}
// The other one may have died with a rollout under way: whoever is left takes it up.
for (const { id } of vault.store.read.unfinished()) await services.rollouts.finished(id);
await opened.close();

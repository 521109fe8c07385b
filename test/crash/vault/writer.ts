/**
 * Child process of the crash tests: writes into a vault and tells what was acknowledged, a JSON line each, by a
 * synchronous write: what the parent has read was said before the kill.
 * Arguments: vault folder, keychain folder, name of this writer, number of rounds, path of a model file.
 */
import { writeSync } from 'node:fs';
import { createRegistryService } from '../../../electron/services/registry/index.ts';
import { openVault } from '../../../electron/services/vault/index.ts';
import { fileKeychain } from '../../support/file-keychain.ts';
import { machine } from '../../support/machine.ts';

const [path = '', keychainFolder = '', name = '', rounds = '', modelFile = ''] = process.argv.slice(2);
const { adapters } = machine({ keychainSecrets: (vaultId) => fileKeychain(keychainFolder, vaultId) });
const vault = await openVault(adapters, path);
const ada = vault.store.read.operatorByName('ada');
if (!ada) throw new Error('the vault has no first operator');
const actor = { operatorId: ada.id, name: 'ada', person: 'Ada Lovelace', roles: ada.roles };
const registry = createRegistryService({
  ledger: vault.ledger,
  artifacts: vault.artifacts,
  inspector: { inspect: () => Promise.reject(new Error('not used')) },
  system: adapters.system,
});
const say = (what: object): void => void writeSync(1, `${JSON.stringify(what)}\n`);
say({ lock: vault.acquireEffectsLock() });

for (let round = 0; round < Number(rounds); round++) {
  const subject = `${name}-${process.pid}@1.0.${round}`;
  await vault.ledger.commit(actor, { action: 'model.described', subject, details: { round } }, (tx) =>
    tx.setSetting(`test.${subject}`, String(round)),
  );
  say({ entry: subject });
  const secret = `endpoint-token/${name}-${process.pid}-${round % 5}`;
  await vault.secrets.set(secret, `token ${round}`);
  if (modelFile !== '' && round % 4 === 3) {
    const version = `1.${process.pid}.${round}`;
    await registry.add(actor, { path: modelFile, name: 'phish', version, parent: null, metadata: {} });
    say({ version });
  }
}
await vault.close();

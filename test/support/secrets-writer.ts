/** Child process that writes into a secrets file for ever and says what was acknowledged. Arguments: file, recipient, identity, name. */
import { writeSync } from 'node:fs';
import { FileSecrets } from '../../electron/adapters/keychain/file-secrets.ts';

const [path = '', recipient = '', identity = '', name = ''] = process.argv.slice(2);
const store = new FileSecrets({ path, recipient: () => recipient, identity: () => identity });
for (let round = 0; ; round++) {
  await store.set(`${name}/${round}`, 'x');
  writeSync(1, `${name}/${round}\n`);
}

/**
 * The usual recipe of a model registry in a script: one JSON file, read whole, changed, written whole. No temporary
 * file, no fsync, no lock. Says each acknowledged entry. Arguments: index file, name of this writer, entries to add.
 */
import { existsSync, readFileSync, writeFileSync, writeSync } from 'node:fs';

const [index = '', writer = '', count = '0'] = process.argv.slice(2);

interface Entry {
  readonly name: string;
  readonly version: string;
  readonly digest: string;
}

function register(entry: Entry): void {
  const known = existsSync(index) ? (JSON.parse(readFileSync(index, 'utf8')) as Entry[]) : [];
  known.push(entry);
  writeFileSync(index, JSON.stringify(known, null, 2));
}

writeSync(1, 'begun\n');
for (let round = 0; round < Number(count); round++) {
  const version = `1.${round}.0`;
  register({ name: writer, version, digest: 'd'.repeat(64) });
  writeSync(1, `${writer}@${version}\n`);
}

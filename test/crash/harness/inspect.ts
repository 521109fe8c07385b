/** What must hold of a vault after its process was killed, whatever the moment. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createSystem } from '../../../electron/adapters/system/system.ts';
import { createKeyTools } from '../../../electron/adapters/vault/key-tools.ts';
import type { Console } from '../../../electron/compose.ts';
import { verifyArtifacts } from '../../../electron/services/registry/verify-artifacts.ts';
import { sweepVault } from '../../../electron/services/vault/index.ts';
import { namedArtifacts } from '../../../electron/services/vault/named-artifacts.ts';
import { openDatabase } from '../../../shared/node/sqlite/database.ts';
import { MODEL, signIn } from '../../support/console.ts';
import { fileKeychain } from '../../support/file-keychain.ts';
import { createSecond, type Home, openHome, restoreHome } from './home.ts';
import { type Ack, lookFor } from './operations.ts';

/** What was found wrong, by kind; all empty when nothing is. */
export interface Wrong {
  /** Acknowledged, and not there. */
  readonly lost: string[];
  /** A row whose file is missing, cut off or another one. */
  readonly half: string[];
  /** Files that nothing names, still there after the next start's sweep. */
  readonly orphans: string[];
  /** Everything else: the log, the database, locks, effects that happened twice or unrecorded. */
  readonly unsound: string[];
}

/** What an agent's home was like before the run. */
export interface Before {
  readonly generation: number;
  readonly effects: number;
}

/** Opens the vault as the next start would, and looks at everything. */
export async function inspectHome(home: Home, acks: readonly Ack[], before: Before | null): Promise<Wrong> {
  const wrong: Wrong = { lost: [], half: [], orphans: [], unsound: [] };
  let opened: Console;
  try {
    // Killed within a restore: whoever asked for it asks again.
    opened = existsSync(home.vault) ? await openHome(home) : await restoreHome(home);
  } catch (error) {
    wrong.lost.push(`the vault does not open: ${String(error)}`);
    return wrong;
  }
  try {
    if (!opened.vault.acquireEffectsLock())
      wrong.unsound.push('the lock of the killed process is still held');
    wrong.half.push(...(await halfPublished(opened)));
    if (before !== null) wrong.unsound.push(...(await takeUp(opened, before)));
    for (const ack of acks) {
      const lost = await lookFor(ack, opened, home).catch(
        (error: unknown) => `lost: ${ack.kind}: ${String(error)}`,
      );
      if (lost !== null) wrong.lost.push(lost);
    }
    await sweepVault(opened.vault, createSystem(), { graceMs: 0 });
    // Killed while it created a vault: whoever asked for it asks again, which takes what was begun away.
    if (readdirSync(home.outside).some((name) => name.startsWith('.second.'))) await createSecond(home);
    wrong.orphans.push(...(await orphans(opened, home)));
    wrong.unsound.push(...(await unsound(opened, home)), ...(await unrecoverable(home, acks)));
  } catch (error) {
    wrong.unsound.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    await opened.close();
  }
  return wrong;
}

async function halfPublished({ vault: { artifacts, store } }: Console): Promise<string[]> {
  const { bad } = await verifyArtifacts(artifacts, namedArtifacts(store.read));
  return bad.map(({ ref, problem }) => `${ref}: ${problem}`);
}

/** Lets the next process finish what the killed one began; then counts what happened at the agent. */
async function takeUp(opened: Console, before: Before): Promise<string[]> {
  const { services, vault } = opened;
  const { read } = vault.store;
  services.rollouts.start();
  await services.rollouts.settled();
  for (const { id } of read.unfinished()) await services.rollouts.finished(id);
  const now = await agentNow(opened);
  const problems: string[] = [];
  const effects = recordedEffects(opened) - before.effects;
  if (now.generation !== before.generation + effects)
    problems.push(
      `${effects} changes of routing are recorded, the agent made ${now.generation - before.generation}`,
    );
  const champion = read.aliasedVersion(MODEL, 'champion')?.version;
  if (champion !== now.stable) problems.push(`champion is ${champion}, the agent serves ${now.stable}`);
  return problems;
}

/** Changes of routing the log speaks of: each direct rollout and each rollback is one. */
export function recordedEffects({ vault }: Console): number {
  let count = 0;
  for (const { action } of vault.store.read.audit.entries())
    if (action === 'rollout.completed' || action === 'rollout.rolled-back') count++;
  return count;
}

export async function agentNow(opened: Console): Promise<{ generation: number; stable: string | undefined }> {
  const [endpoint] = opened.vault.store.read.endpoints();
  const status = await opened.services.endpoints.check(await signIn(opened, 'ben'), {
    id: endpoint?.id ?? '',
  });
  const [model] = status.models;
  return { generation: model?.generation ?? -1, stable: model?.stable?.version };
}

async function orphans(opened: Console, home: Home): Promise<string[]> {
  const { artifacts, store } = opened.vault;
  const named = new Set(namedArtifacts(store.read).map(({ artifactId }) => artifactId));
  const unnamed = (await artifacts.list()).filter((id) => !named.has(id)).map((id) => `artifact ${id}`);
  // The vault, what was written outside of it, and what was built beside it; the keychain of files is the harness's own.
  const left = readdirSync(dirname(home.vault), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tmp$|\.next\.db|snapshot/.test(name) && !name.startsWith('keychain'))
    .map((name) => `left behind: ${name}`);
  const known = new Set([
    ...['vault-keys', 'checkpoint-key', 'audit-head'],
    ...store.read.operators().map(({ id }) => `operator-key/${id}`),
    ...store.read.endpoints().map(({ id }) => `endpoint-token/${id}`),
  ]);
  const secrets = readdirSync(join(home.keychain, opened.vault.id))
    .map((name) => Buffer.from(name, 'hex').toString())
    .filter((name) => /^[ -~]+$/.test(name) && !known.has(name))
    .map((name) => `secret ${name.slice(0, 12)}…`);
  // The vault's own keys have recovery.age, and a head that came back from a copy would be no witness.
  const copies = readdirSync(join(home.vault, 'recovery')).length - (known.size - 2);
  return [...unnamed, ...left, ...secrets, ...(copies > 0 ? [`${copies} recovery copies`] : [])];
}

async function unsound(opened: Console, home: Home): Promise<string[]> {
  const problems: string[] = [];
  // Signing in commits: a vault that survived takes new changes, and its witness follows.
  const cleo = await signIn(opened, 'cleo');
  const verdict = await opened.services.audit.verify(cleo);
  problems.push(...verdict.problems.map(({ problem }) => `audit: ${problem}`));
  for (const { name, status, detail } of verdict.witnesses)
    if (status === 'contradicts' || (name === 'keychain' && status === 'behind'))
      problems.push(`witness ${name}: ${status}: ${detail}`);
  const checked = integrity(home, await keysOf(home, opened.vault.id));
  if (checked !== 'ok') problems.push(`integrity_check: ${checked}`);
  return problems;
}

/** The recovery key that somebody has on paper opens the vault's keys, and they are those of now. */
async function unrecoverable(home: Home, acks: readonly Ack[]): Promise<string[]> {
  const told = acks.map(({ what }) => String(what.recoveryKey ?? '')).findLast((key) => key !== '');
  const tools = createKeyTools();
  try {
    const recoveryKey = acks.some(({ kind }) => kind === 'rekeyed') && told ? told : home.recoveryKey;
    const wrapped = readFileSync(join(home.vault, 'recovery.age'));
    const text = new TextDecoder().decode(await tools.decrypt(recoveryKey, wrapped));
    const checked = integrity(home, databaseKeysIn(text));
    return checked === 'ok' ? [] : [`by the recovery key: ${checked}`];
  } catch (error) {
    return [`the recovery key does not open recovery.age: ${String(error)}`];
  }
}

/** SQLite's own check, over every page and index, by a connection of its own. */
function integrity(home: Home, keys: readonly string[]): string {
  for (const key of keys) {
    try {
      const database = openDatabase(join(home.vault, 'registry.db'), Buffer.from(key, 'hex'));
      try {
        return String(database.pragma('integrity_check'));
      } finally {
        database.close();
      }
    } catch {
      // A key that was replaced: another one opens it.
    }
  }
  return 'no key opens the database';
}

async function keysOf(home: Home, vaultId: string): Promise<string[]> {
  const text = await fileKeychain(home.keychain, vaultId).get('vault-keys');
  return databaseKeysIn(text ?? '');
}

function databaseKeysIn(text: string): string[] {
  return [...text.matchAll(/"databaseKey":"([0-9a-f]{64})"/g)].map(([, key]) => key ?? '');
}

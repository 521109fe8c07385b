/** What is done until the kill comes, and how each acknowledged result is looked for afterwards. */
import { renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Console } from '../../../electron/compose.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import {
  MODEL,
  OPEN_POLICY,
  PEOPLE,
  QUIET,
  signIn,
  VAULT_PASSPHRASE,
  type Who,
} from '../../support/console.ts';
import {
  backupOf,
  createSecond,
  DIRECT,
  type Home,
  homeFactory,
  openHome,
  type Parts,
  restoreHome,
  secondOf,
} from './home.ts';

/** One acknowledged result: which operation said so, and what must be found again. */
export interface Ack {
  readonly kind: string;
  readonly what: Readonly<Record<string, string | number>>;
}

export interface Stage {
  readonly home: Home;
  readonly parts: Parts;
  readonly open: () => Promise<Console>;
  readonly as: (who: Who) => Promise<Actor>;
  /** Tells the parent, before anything else happens. */
  readonly ack: (kind: string, what?: Ack['what']) => void;
}

export interface Operation {
  readonly name: string;
  /** Works on the one home that has an agent, not on a copy. */
  readonly agent?: boolean;
  readonly run: (stage: Stage) => Promise<void>;
}

const REF_110 = { name: MODEL, version: '1.1.0' };

export const OPERATIONS: readonly Operation[] = [
  {
    name: 'add',
    run: async ({ home, open, as, ack }) => {
      const { models } = (await open()).services;
      const ana = await as('ana');
      const files = { '1.0.0': home.model, '1.0.1': home.largeModel };
      for (const [version, path] of Object.entries(files)) {
        const ref = { name: 'crash', version };
        const { version: added } = await models.add(ana, { ...ref, path, parent: null, metadata: {} }, QUIET);
        ack('version', { ...ref, digest: added.digest });
      }
    },
  },
  {
    name: 'change',
    run: async ({ home, open, as, ack }) => {
      const { models, environments } = (await open()).services;
      const ana = await as('ana');
      const ben = await as('ben');
      const challenger = { name: MODEL, version: '1.2.0', alias: 'challenger' };
      await models.alias(ben, challenger);
      ack('alias', challenger);
      const policy = { ...OPEN_POLICY, requestHours: 7 };
      await environments.setPolicy(ana, { id: home.environmentId, policy });
      ack('policy', { hours: 7 });
      await models.archive(ben, { name: MODEL, version: '1.0.0' });
      ack('state', { name: MODEL, version: '1.0.0', state: 'archived' });
      await models.revoke(ben, { ...REF_110, reason: 'crash' });
      ack('state', { ...REF_110, state: 'revoked' });
    },
  },
  {
    name: 'operator',
    run: async ({ open, as, ack }) => {
      const { operators } = (await open()).services;
      const ana = await as('ana');
      for (const name of ['dora', 'emil']) {
        const person = `${name} of the crash`;
        const passphrase = `${name} has this passphrase`;
        await operators.add(ana, { name, person, roles: ['analyst'], passphrase });
        ack('operator', { name, passphrase });
      }
    },
  },
  {
    name: 'submit',
    run: async ({ home, open, as, ack }) => {
      const { requests } = (await open()).services;
      const ana = await as('ana');
      const { record } = await requests.submit(ana, {
        ...REF_110,
        environmentId: home.environmentId,
        passphrase: PEOPLE.ana.passphrase,
        plan: DIRECT,
      });
      ack('request', { id: record.id, state: 'open' });
    },
  },
  {
    name: 'approve',
    run: async ({ home, open, as, ack }) => {
      const { requests } = (await open()).services;
      for (const who of ['ben', 'cleo'] as const) {
        await requests.approve(await as(who), { id: home.open, passphrase: PEOPLE[who].passphrase });
        ack('approval', { id: home.open, operator: who });
      }
      ack('request', { id: home.open, state: 'approved' });
    },
  },
  {
    name: 'create',
    run: async ({ home, parts, ack }) => {
      await createSecond(home, parts);
      ack('created');
    },
  },
  {
    name: 'recover',
    run: async ({ home, parts, ack }) => {
      const factory = homeFactory(home, parts);
      for (const keys of [
        { kind: 'passphrase', passphrase: VAULT_PASSPHRASE },
        { kind: 'keychain' },
      ] as const) {
        const opened = await factory.recover(home.vault, home.recoveryKey, keys);
        ack('keys', { kind: keys.kind });
        await opened.close();
      }
    },
  },
  {
    name: 'rekey',
    run: async ({ home, open, as, ack }) => {
      const { vault, environments } = (await open()).services;
      const ana = await as('ana');
      await vault.rekey(ana, { full: false, newRecoveryKey: false, passphrase: null }, QUIET);
      ack('rekeyed', {});
      // What is committed under the new keys is kept like what was before.
      const policy = { ...OPEN_POLICY, requestHours: 11 };
      await environments.setPolicy(ana, { id: home.environmentId, policy });
      ack('policy', { hours: 11 });
    },
  },
  {
    name: 'rekey-full',
    run: async ({ open, as, ack }) => {
      const { vault } = (await open()).services;
      const input = { full: true, newRecoveryKey: true, passphrase: null };
      const { recoveryKey } = await vault.rekey(await as('ana'), input, QUIET);
      ack('rekeyed', { recoveryKey: recoveryKey ?? '' });
    },
  },
  {
    name: 'backup',
    run: async ({ home, open, as, ack }) => {
      const { vault } = (await open()).services;
      const path = backupOf(home);
      const { bytes } = await vault.backup(await as('ana'), { path }, QUIET);
      ack('backup', { path, bytes });
    },
  },
  {
    name: 'restore',
    run: async ({ home, parts, open, as, ack }) => {
      const opened = await open();
      await opened.services.vault.backup(await as('ana'), { path: backupOf(home) }, QUIET);
      await opened.close();
      // The vault is gone: moved out of the way, so that its place is empty.
      renameSync(home.vault, join(home.outside, 'lost'));
      const restored = await restoreHome(home, parts);
      ack('restored');
      await restored.close();
    },
  },
  {
    name: 'collect',
    run: async ({ home, open, as, ack }) => {
      const { models, vault } = (await open()).services;
      const ana = await as('ana');
      const { settings } = vault.about();
      await vault.setSettings(ana, { settings: { ...settings, keepLast: 1 } });
      for (const version of ['2.0.0', '2.0.1', '2.0.2']) {
        const ref = { name: 'crash', version };
        const file = { path: home.model, parent: null, metadata: {} };
        const { version: added } = await models.add(ana, { ...ref, ...file }, QUIET);
        ack('version', { ...ref, digest: added.digest });
      }
      const { archived, removed } = await models.collect(ana, { dryRun: false }, QUIET);
      if (archived.length !== 2 || removed.length !== 2) throw new Error('it should have collected two');
      for (const version of ['2.0.0', '2.0.1']) ack('state', { name: 'crash', version, state: 'archived' });
    },
  },
  {
    name: 'deploy',
    agent: true,
    run: async ({ home, open, as, ack }) => {
      const opened = await open();
      const { rollouts } = opened.services;
      rollouts.start();
      const [endpoint] = opened.vault.store.read.endpoints();
      const served = opened.vault.store.read.lastStatus(endpoint?.id ?? '')?.models[0]?.stable?.version;
      const version = served === '1.0.0' ? '1.1.0' : '1.0.0';
      const { state } = await rollouts.deploy(await as('ben'), {
        requestId: home.approved[version],
        target: 'production',
      });
      ack('rollout', { id: state.id });
      await rollouts.finished(state.id);
      ack('served', { version });
    },
  },
  {
    name: 'rollback',
    agent: true,
    run: async ({ open, as, ack }) => {
      const { rollouts } = (await open()).services;
      const { version } = await rollouts.rollback(await as('ben'), {
        name: MODEL,
        target: 'production',
        to: null,
      });
      ack('served', { version });
    },
  },
];

/** Looks for one acknowledged result in the vault that was opened again; answers what is missing, or null. */
export async function lookFor(ack: Ack, opened: Console, home: Home): Promise<string | null> {
  const { read } = opened.vault.store;
  const is = (name: string): string => String(ack.what[name] ?? '');
  const ref = { name: is('name'), version: is('version') };
  const told = `${ack.kind} ${JSON.stringify(ack.what)}`;
  const found = (holds: boolean): string | null => (holds ? null : `lost: ${told}`);
  switch (ack.kind) {
    case 'version':
      return found(read.version(ref)?.digest === is('digest'));
    case 'alias':
      return found(read.aliasedVersion(ref.name, is('alias'))?.version === ref.version);
    case 'state':
      return found(read.version(ref)?.state === is('state'));
    case 'policy':
      return found(read.environment(home.environmentId)?.policy.requestHours === ack.what.hours);
    case 'operator': {
      const { name, passphrase } = { name: is('name'), passphrase: is('passphrase') };
      return opened.services.session.signIn({ operator: name, passphrase }).then(
        () => null,
        (error: unknown) => `lost: ${name} cannot sign in (${String(error)})`,
      );
    }
    case 'request':
      return found(read.request(is('id'))?.state === is('state'));
    case 'approval':
      return found(read.approvals(is('id')).some(({ operator }) => operator === is('operator')));
    case 'keys':
    case 'rekeyed':
    case 'restored':
      return null;
    case 'backup':
      return found(statSync(is('path'), { throwIfNoEntry: false })?.size === ack.what.bytes);
    case 'rollout':
      return found(read.rollout(is('id')) !== null);
    case 'served': {
      const [endpoint] = read.endpoints();
      const ben = await signIn(opened, 'ben');
      const status = await opened.services.endpoints.check(ben, { id: endpoint?.id ?? '' });
      return found(status.models[0]?.stable?.version === is('version'));
    }
    case 'created': {
      const second = await openHome({ ...home, vault: secondOf(home) });
      await second.close();
      return null;
    }
    default:
      throw new Error(`nobody looks for ${told}`);
  }
}

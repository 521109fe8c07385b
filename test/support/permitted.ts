/**
 * What the table of permissions means at the edges: for every channel and every command, the permission it needs. A
 * channel that is added without a line here does not compile.
 */
import type { ChannelInput, ChannelName } from '../../shared/contract/channels.ts';
import { labelledFile } from '../../shared/domain/evidence/selection.ts';
import type { Permission } from '../../shared/domain/operator/operator.ts';
import type { OPEN_POLICY } from './console.ts';

/**
 * `signed-in`: any operator. `anybody`: also while nobody is signed in. `other`: decided by a key or a passphrase, not
 * by a role, and not called by these tests because it ends the session or changes the vault under them.
 */
export type Needed = Permission | 'signed-in' | 'anybody' | 'other';

export const CHANNEL_NEEDS: Readonly<Record<ChannelName, Needed>> = {
  'session.status': 'anybody',
  'session.signIn': 'other',
  'session.signOut': 'other',
  'session.active': 'anybody',
  'vault.create': 'other',
  'vault.unlock': 'other',
  'vault.recover': 'other',
  'vault.restore': 'other',
  'vault.lock': 'other',
  'vault.about': 'signed-in',
  'vault.setSettings': 'vault.settings',
  'vault.rekey': 'vault.rekey',
  'vault.backup': 'vault.backup',
  // The recovery key itself is the right to it.
  'vault.saveRecoveryKit': 'anybody',
  'overview.get': 'signed-in',
  'models.list': 'signed-in',
  'models.get': 'signed-in',
  'models.inspectFile': 'signed-in',
  'models.add': 'model.add',
  'models.setMapping': 'model.map',
  'models.alias': 'model.alias',
  'models.archive': 'model.archive',
  'models.revoke': 'model.revoke',
  'models.verify': 'model.verify',
  'models.export': 'model.export',
  'models.describe': 'model.describe',
  'models.unalias': 'model.alias',
  'models.diff': 'signed-in',
  'models.collect': 'model.collect',
  'validation.run': 'validation.run',
  'validation.list': 'signed-in',
  'validation.get': 'signed-in',
  'comparison.run': 'comparison.run',
  'comparison.list': 'signed-in',
  'comparison.get': 'signed-in',
  'evidence.inspect': 'signed-in',
  'evidence.rows': 'signed-in',
  'evidence.labelRow': 'rows.label',
  'evidence.exportRows': 'rows.export',
  'evidence.locate': 'dataset.register',
  'evidence.exportReport': 'report.export',
  'evidence.unfinished': 'signed-in',
  'evidence.resume': 'validation.run',
  'evidence.discard': 'validation.run',
  'datasets.list': 'signed-in',
  'operators.list': 'signed-in',
  'operators.add': 'operator.manage',
  'operators.setRoles': 'operator.manage',
  'operators.setDisabled': 'operator.manage',
  'operators.changePassphrase': 'signed-in',
  'environments.list': 'signed-in',
  'environments.add': 'environment.manage',
  'environments.setPolicy': 'environment.manage',
  'requests.list': 'signed-in',
  'requests.get': 'signed-in',
  'requests.submit': 'request.submit',
  'requests.approve': 'request.approve',
  'requests.reject': 'request.reject',
  'requests.withdraw': 'request.withdraw',
  'endpoints.list': 'signed-in',
  'endpoints.add': 'endpoint.manage',
  'endpoints.check': 'signed-in',
  'endpoints.remove': 'endpoint.manage',
  'rollouts.list': 'signed-in',
  'rollouts.get': 'signed-in',
  'rollouts.deploy': 'rollout.deploy',
  'rollouts.pause': 'rollout.control',
  'rollouts.resume': 'rollout.control',
  'rollouts.promote': 'rollout.control',
  'rollouts.abort': 'rollout.rollback',
  'rollouts.rollback': 'rollout.rollback',
  'audit.list': 'signed-in',
  'audit.verify': 'audit.verify',
  'audit.export': 'audit.export',
  'audit.verifyFile': 'anybody',
  'jobs.cancel': 'anybody',
  'dialogs.open': 'other',
  'dialogs.save': 'other',
};

/** Ids of the things the calls below are about. */
export interface Targets {
  readonly requestId: string;
  readonly endpointId: string;
  readonly rolloutId: string;
  readonly operatorId: string;
  readonly environmentId: string;
  readonly policy: typeof OPEN_POLICY;
  /** A folder that is not there: what gets so far fails there. */
  readonly nowhere: string;
  readonly passphrase: string;
}

const REF = { name: 'phish', version: '1.0.0' };
const NEW = { ...REF, version: '2.0.0' };

/** A call of each channel that gets past the role, and as little farther as can be. */
export function callOf(at: Targets): Readonly<{ [C in ChannelName]?: ChannelInput<C> }> {
  const { nowhere, passphrase } = at;
  const path = `${nowhere}/file`;
  const job = { jobId: 'job' };
  const data = labelledFile(path);
  const evidence = { kind: 'validation', id: 'none' } as const;
  const rows = { evidence, preset: 'all', slice: null, filter: null, order: 'row' } as const;
  return {
    'session.status': {},
    'session.active': {},
    'vault.about': {},
    'vault.setSettings': {
      settings: { autoLockMinutes: 15, protectedAliases: ['champion'], keepLast: null },
    },
    'vault.rekey': { full: false, newRecoveryKey: false, passphrase: 'short', ...job },
    'vault.backup': { path, ...job },
    'vault.saveRecoveryKit': { path, recoveryKey: 'none' },
    'overview.get': {},
    'models.list': { text: '', limit: 10, offset: 0 },
    'models.get': REF,
    'models.inspectFile': { path },
    'models.add': { ...NEW, path, parent: null, metadata: {}, ...job },
    'models.setMapping': {
      ...REF,
      mapping: {
        kind: 'classifier',
        input: 'none',
        labelOutput: 'none',
        scoreOutput: null,
        scoreColumn: 0,
        positiveLabel: 1,
        threshold: 0.5,
        lowerIsPositive: false,
      },
    },
    'models.alias': { ...REF, alias: 'candidate' },
    'models.archive': REF,
    'models.revoke': { ...REF, reason: 'a test' },
    'models.verify': { ref: REF, ...job },
    'models.export': { ...REF, directory: nowhere },
    'models.describe': { ...REF, metadata: {} },
    'models.unalias': { name: 'phish', alias: 'candidate' },
    'models.diff': { a: REF, b: REF },
    'models.collect': { dryRun: true, ...job },
    'validation.run': {
      ...REF,
      data,
      environmentId: null,
      policy: null,
      robustness: false,
      driftAgainst: null,
      ...job,
    },
    'validation.list': { ref: null },
    'validation.get': { id: 'none' },
    'comparison.run': { versions: [REF, REF], data, ...job },
    'comparison.list': { ref: null },
    'comparison.get': { id: 'none' },
    'evidence.inspect': { path, ref: null, filter: null },
    'evidence.rows': { ...rows, limit: 10, offset: 0, ...job },
    'evidence.labelRow': { evidence, row: 1, verdict: 'benign', note: '' },
    'evidence.exportRows': { ...rows, path, format: 'csv', ...job },
    'evidence.locate': { digest: 'a'.repeat(64), path, ...job },
    'evidence.exportReport': { evidence, path, format: 'html' },
    'evidence.unfinished': {},
    'evidence.resume': { id: 'none', ...job },
    'evidence.discard': { id: 'none' },
    'datasets.list': {},
    'operators.list': {},
    'operators.add': { name: 'zoe', person: 'Zoe', roles: ['auditor'], passphrase: 'short' },
    'operators.setRoles': { id: at.operatorId, roles: ['auditor'] },
    'operators.setDisabled': { id: at.operatorId, disabled: true },
    'operators.changePassphrase': { passphrase, newPassphrase: 'short' },
    'environments.list': {},
    'environments.add': { name: 'production', policy: at.policy },
    'environments.setPolicy': { id: at.environmentId, policy: at.policy },
    'requests.list': {},
    'requests.get': { id: at.requestId },
    'requests.submit': {
      ...REF,
      environmentId: 'none',
      passphrase,
      plan: {
        strategy: 'direct',
        steps: [100],
        bakeMs: 0,
        maxStepMs: 1000,
        mirrorSample: 0,
        guards: {
          maxErrorRate: null,
          maxP95Ratio: null,
          p95FloorMs: 0,
          maxDisagreement: null,
          minimumRequests: 1,
          minimumPairs: 1,
        },
      },
    },
    'requests.approve': { id: at.requestId, passphrase },
    'requests.reject': { id: at.requestId, reason: 'a test' },
    'requests.withdraw': { id: at.requestId },
    'endpoints.list': {},
    'endpoints.add': {
      name: 'edge',
      environmentId: 'none',
      adminUrl: 'http://127.0.0.1:9',
      predictUrl: 'http://127.0.0.1:9',
      token: 'token',
      fingerprint: 'none',
    },
    'endpoints.check': { id: 'none' },
    'endpoints.remove': { id: at.endpointId },
    'rollouts.list': {},
    'rollouts.get': { id: at.rolloutId },
    'rollouts.deploy': { requestId: at.requestId, target: 'none' },
    'rollouts.pause': { id: at.rolloutId },
    'rollouts.resume': { id: at.rolloutId },
    'rollouts.promote': { id: at.rolloutId },
    'rollouts.abort': { id: at.rolloutId, reason: 'a test' },
    'rollouts.rollback': { name: 'phish', target: 'none', to: null },
    'audit.list': { before: null, limit: 10, text: '' },
    'audit.verify': {},
    'audit.export': { path },
    'audit.verifyFile': { path, ...job },
    'jobs.cancel': job,
  };
}

/** Commands that change or take out something, with what they need. */
export function commandsOf(at: Targets & { readonly secretFile: string }): readonly [string[], Permission][] {
  const path = `${at.nowhere}/file`;
  const policy = ['--policy', `${at.nowhere}/policy.yaml`];
  return [
    [['model', 'add', path, '--name', 'phish', '--version', '2.0.0'], 'model.add'],
    [['model', 'alias', 'phish', 'candidate', '1.0.0'], 'model.alias'],
    [['model', 'archive', 'phish@1.0.0'], 'model.archive'],
    [['model', 'revoke', 'phish@1.0.0', '--reason', 'a test'], 'model.revoke'],
    [['model', 'export', 'phish@1.0.0', '--out', at.nowhere], 'model.export'],
    [['model', 'verify', 'phish@1.0.0'], 'model.verify'],
    [['validate', 'phish@1.0.0', '--data', path], 'validation.run'],
    [['compare', 'phish@1.0.0', 'phish@1.0.0', '--data', path], 'comparison.run'],
    [['rows', 'none', '--export', path], 'rows.export'],
    [['label', 'none', '1', 'benign'], 'rows.label'],
    [['report', 'none', `${path}.html`], 'report.export'],
    [['dataset', 'locate', 'a'.repeat(64), path], 'dataset.register'],
    [['run', 'resume', 'none'], 'validation.run'],
    [['run', 'discard', 'none'], 'validation.run'],
    [['quarantine', 'lift', 'a'.repeat(64)], 'model.lift-quarantine'],
    [
      [
        'operator',
        'add',
        'zoe',
        '--person',
        'Zoe',
        '--roles',
        'auditor',
        '--new-passphrase-file',
        at.secretFile,
      ],
      'operator.manage',
    ],
    [['operator', 'roles', 'dora', 'auditor'], 'operator.manage'],
    [['operator', 'disable', 'dora'], 'operator.manage'],
    [['operator', 'enable', 'dora'], 'operator.manage'],
    [['environment', 'add', 'production'], 'environment.manage'],
    [['environment', 'policy', 'production', ...policy], 'environment.manage'],
    [['submit', 'phish@1.0.0', '--for', 'production'], 'request.submit'],
    [['approve', at.requestId], 'request.approve'],
    [['reject', at.requestId, '--reason', 'a test'], 'request.reject'],
    [['request', 'withdraw', at.requestId], 'request.withdraw'],
    [['deploy', at.requestId, '--to', 'production'], 'rollout.deploy'],
    [['rollout', 'pause', at.rolloutId], 'rollout.control'],
    [['rollout', 'resume', at.rolloutId], 'rollout.control'],
    [['rollout', 'promote', at.rolloutId], 'rollout.control'],
    [['rollout', 'abort', at.rolloutId], 'rollout.rollback'],
    [['rollback', 'phish', '--on', 'production'], 'rollout.rollback'],
    [['endpoint', 'remove', 'edge-1'], 'endpoint.manage'],
    [['audit', 'export', path], 'audit.export'],
    [['audit', 'verify'], 'audit.verify'],
    [['backup', path], 'vault.backup'],
    [['rekey'], 'vault.rekey'],
  ];
}

/**
 * A thin stand-in for the preload's bridge: the window alone, without a main process. Inputs and answers go through
 * the contract's own schemas, so a record that drifts from the contract fails here first.
 */
import type { z } from 'zod';
import type { SallyportBridge } from '../../renderer/api/bridge.ts';
import {
  CHANNELS,
  type ChannelInput,
  type ChannelName,
  type ChannelOutput,
  type Channels,
  EVENTS,
  type EventName,
  type EventPayload,
} from '../../shared/contract/channels.ts';
import { type Result, toWireError } from '../../shared/contract/result.ts';
import { type ErrorCode, SallyportError } from '../../shared/domain/errors.ts';
import { allowedVersionActions } from '../../shared/domain/model/actions.ts';
import { isPermitted, type Operator } from '../../shared/domain/operator/operator.ts';
import type { RequestView, RolloutView, SessionView, VersionRow } from '../../shared/domain/view/views.ts';
import * as data from './renderer-data.ts';
import * as evidence from './renderer-evidence.ts';
import { rowHandlers } from './renderer-rows.ts';
import * as vaultData from './renderer-vault.ts';

export interface FakeOptions {
  readonly vault: 'absent' | 'locked' | 'open';
  /** Who is signed in; null = nobody. */
  readonly operator: string | null;
  readonly sample: boolean;
  /** A vault with nothing in it. */
  readonly empty: boolean;
  /** Also reports no design should break on: without labels, of one class, very wide. */
  readonly extreme?: boolean;
  /** Milliseconds since the epoch that "now" is in the records. */
  readonly now: number;
  /** How long a long operation takes. */
  readonly jobMs: number;
  readonly keys?: 'keychain' | 'passphrase';
  /** What opening the vault is refused with. */
  readonly problem?: ErrorCode;
  /** Why nothing can be written. */
  readonly readOnly?: string;
}

type Handlers = { readonly [C in ChannelName]: (input: z.output<Channels[C]['input']>) => unknown };

export interface FakeBridge extends SallyportBridge {
  /** Sends a push event to the window, as the main process would. */
  push<E extends EventName>(event: E, payload: EventPayload<E>): void;
}

export const FAKE_RECOVERY_KEY = 'AGE-SECRET-KEY-1QQPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQQPZRY9X8GF2TVDW0S3JN54';

export function createFakeBridge(options: FakeOptions): FakeBridge {
  const clock = { now: options.now };
  const listeners = new Map<EventName, Set<(payload: never) => void>>();
  const operators: Operator[] = data.operators(clock);
  const environments = options.empty ? [] : data.environments(clock);
  const records = options.empty ? [] : data.versions(clock);
  const reports = options.empty
    ? []
    : ['1.2.0', '1.1.0', '1.0.0'].map((number, index) =>
        evidence.deepValidation(data.validation(clock, number, environments[0] ?? null, 92 + index * 2800)),
      );
  const comparisons = options.empty ? [] : [evidence.deepComparison(data.comparison(clock))];
  if (options.extreme === true) {
    const plain = data.validation(clock, '1.0.0', environments[0] ?? null, 3);
    reports.push(...evidence.extremeValidations(clock, plain));
    comparisons.push(evidence.replayedComparison(clock, data.comparison(clock)));
  }
  const rollouts: RolloutView[] = options.empty
    ? []
    : [
        data.rollout(clock, 'ro-3', '1.2.0', 'stepping', 1, 3),
        data.rollout(clock, 'ro-2', '1.1.0', 'completed', 2, 2_800),
        data.rollout(clock, 'ro-1', '1.2.0', 'rolled-back', 1, 4_300),
      ];
  const requests: RequestView[] = options.empty
    ? []
    : [
        data.request(clock, 'req-open', '1.2.0', 'open', ['grace'], 30),
        {
          ...data.request(clock, 'req-1.2.0', '1.2.0', 'approved', ['grace', 'katherine'], 64),
          rolloutIds: ['ro-3'],
        },
        {
          ...data.request(clock, 'req-1.1.0', '1.1.0', 'approved', ['grace', 'katherine'], 2_860),
          rolloutIds: ['ro-2'],
        },
        data.request(clock, 'req-1.0.0', '1.0.0', 'rejected', [], 9_000),
      ];
  let endpoints = options.empty ? [] : data.endpointViews(clock);
  const audit = options.empty ? data.auditEntries(clock, 3) : data.auditEntries(clock, 1_284);
  let vault = options.vault;
  let about = vaultData.vaultView(clock, records);
  let signedIn: Operator | null = operators.find((operator) => operator.name === options.operator) ?? null;
  const cancelled = new Set<string>();

  const actor = () => {
    if (signedIn === null)
      throw new SallyportError('locked', 'Nobody is signed in.', { hint: 'Sign in and try again.' });
    return { operatorId: signedIn.id, name: signedIn.name, person: signedIn.person, roles: signedIn.roles };
  };
  const session = (): SessionView => ({
    vault,
    vaultPath: '/home/ada/.local/share/sallyport',
    keys: options.keys ?? 'keychain',
    vaultId: vault === 'absent' ? null : data.hex('vault').slice(0, 32),
    operator:
      signedIn === null ? null : { name: signedIn.name, person: signedIn.person, roles: signedIn.roles },
    operators: vault === 'open' ? operators.map((operator) => operator.name) : [],
    sample: options.sample
      ? {
          operators: operators.slice(0, 3).map((operator, index) => ({
            name: operator.name,
            passphrase: ['lantern-orbit-41', 'copper-meadow-07', 'violet-harbor-93'][index] ?? '',
            roles: operator.roles,
          })),
        }
      : null,
    readOnly: options.readOnly ?? null,
    runtime: 'Electron 45.4.1',
    version: '0.1.0',
  });
  const find = <T>(found: T | undefined, what: string): T => {
    if (found === undefined)
      throw new SallyportError('not-found', `${what} is not in this vault.`, {
        hint: 'It may have been removed. Nothing was changed.',
      });
    return found;
  };
  const push: FakeBridge['push'] = (event, payload) => {
    const parsed = EVENTS[event].parse(payload);
    for (const listener of listeners.get(event) ?? []) listener(parsed as never);
  };
  const job = async (jobId: string, phase: string, total: number): Promise<void> => {
    const ticks = 20;
    for (let tick = 0; tick <= ticks; tick += 1) {
      if (cancelled.has(jobId))
        throw new SallyportError('cancelled', 'Cancelled.', { hint: 'Nothing was kept.' });
      push('job.progress', { jobId, phase, done: Math.round((total * tick) / ticks), total });
      await new Promise((resolve) => setTimeout(resolve, options.jobMs / ticks));
    }
  };
  const row = (record: (typeof records)[number]): VersionRow => {
    const report = reports.find(
      (item) => item.ref.name === record.name && item.ref.version === record.version,
    );
    return {
      name: record.name,
      version: record.version,
      digest: record.digest,
      sizeBytes: record.sizeBytes,
      state: record.state,
      aliases: data.versionView(record).aliases,
      owner: record.metadata.owner ?? '',
      tags: record.metadata.tags ?? [],
      worstFinding: record.findings[0]?.severity ?? 'none',
      rocAuc: report?.metrics.roc_auc ?? null,
      f1: report?.metrics.f1 ?? null,
      addedBy: record.addedBy,
      addedAt: record.addedAt,
    };
  };
  const versionView = (record: (typeof records)[number]) => {
    const view = data.versionView(record);
    return { ...view, allowedActions: allowedVersionActions(record, view, actor()) };
  };
  const versionOf = (ref: { name: string; version: string }) =>
    find(
      records.find((record) => record.name === ref.name && record.version === ref.version),
      `${ref.name}@${ref.version}`,
    );
  const requestView = (view: RequestView): RequestView => {
    const { roles, person } = actor();
    const manager = isPermitted(roles, 'request.approve');
    const mine = view.record.request.submitter.person === person;
    const signed = view.approvals.some(
      (approval) => approval.kind === 'approval' && approval.person === person,
    );
    const open = view.record.state === 'open';
    const refusals: Record<string, string> = {};
    if (open && !manager) refusals.approve = 'This takes the role release manager.';
    else if (open && mine) refusals.approve = 'The submitter’s own person never counts.';
    else if (open && signed) refusals.approve = 'You have approved it already.';
    if (open && !manager) refusals.reject = 'This takes the role release manager.';
    if (view.record.state === 'approved' && !manager)
      refusals.deploy = 'This takes the role release manager.';
    return {
      ...view,
      refusals,
      allowedActions: [
        ...(open && refusals.approve === undefined ? (['approve'] as const) : []),
        ...(open && manager ? (['reject'] as const) : []),
        ...(open && mine ? (['withdraw'] as const) : []),
        ...(view.record.state === 'approved' && manager ? (['deploy'] as const) : []),
      ],
    };
  };
  const rolloutView = (view: RolloutView): RolloutView => {
    const may = isPermitted(actor().roles, 'rollout.control');
    const actions: Partial<Record<RolloutView['state']['phase'], RolloutView['allowedActions']>> = {
      stepping: ['pause', 'promote', 'abort'],
      paused: ['resume', 'promote', 'abort'],
      completed: ['roll-back'],
    };
    return { ...view, allowedActions: may ? (actions[view.state.phase] ?? []) : [] };
  };
  const setPhase = (id: string, phase: RolloutView['state']['phase'], reason: string): RolloutView => {
    const at = rollouts.findIndex((view) => view.state.id === id);
    const next = { ...find(rollouts[at], 'The rollout') };
    next.state = { ...next.state, phase, reason };
    rollouts[at] = next;
    push('invalidated', { topics: ['rollouts', 'overview'] });
    return rolloutView(next);
  };
  const changeRequest = (id: string, change: (view: RequestView) => RequestView): RequestView => {
    const at = requests.findIndex((view) => view.record.id === id);
    requests[at] = change(find(requests[at], 'The request'));
    push('invalidated', { topics: ['requests', 'overview', 'audit'] });
    return requestView(requests[at]);
  };
  const setOperator = (id: string, part: Partial<Operator>): Operator => {
    const at = operators.findIndex((operator) => operator.id === id);
    const next = { ...find(operators[at], 'The operator'), ...part };
    operators[at] = next;
    push('invalidated', { topics: ['operators'] });
    return next;
  };
  const checkPassphrase = (passphrase: string): void => {
    if (passphrase === 'wrong')
      throw new SallyportError('auth.failed', 'That is not the passphrase of this operator.', {
        hint: 'Nothing was changed. After several failures the next try has to wait.',
      });
  };

  const handlers: Handlers = {
    'session.status': session,
    'session.signIn': ({ operator, passphrase }) => {
      checkPassphrase(passphrase);
      signedIn = find(
        operators.find((item) => item.name === operator),
        operator,
      );
      return session();
    },
    'session.signOut': () => {
      signedIn = null;
      return session();
    },
    'vault.create': ({ operator, person }) => {
      vault = 'open';
      signedIn = { ...(operators[0] as Operator), name: operator, person };
      operators.splice(0, operators.length, signedIn);
      push('invalidated', { topics: ['session'] });
      return { vaultId: 'vault-1', recoveryKey: FAKE_RECOVERY_KEY };
    },
    'vault.unlock': () => {
      if (options.problem !== undefined) throw vaultData.openingProblem(options.problem);
      vault = 'open';
      return session();
    },
    'vault.recover': () => {
      vault = 'open';
      return session();
    },
    'vault.lock': () => {
      vault = 'locked';
      signedIn = null;
      return session();
    },
    'session.active': () => ({ done: true }),
    'vault.about': () => about,
    'vault.setSettings': ({ settings }) => {
      about = { ...about, settings };
      return about;
    },
    'vault.rekey': async ({ full, newRecoveryKey, jobId }) => {
      await job(jobId, full ? 'encrypting artifacts again' : 'rewrapping headers', about.artifactBytes);
      about = { ...about, lastRekey: new Date(clock.now).toISOString() };
      return {
        artifacts: records.length,
        bytes: full ? about.artifactBytes : 0,
        full,
        recoveryKey: newRecoveryKey ? FAKE_RECOVERY_KEY : null,
      };
    },
    'vault.backup': async ({ path, jobId }) => {
      await job(jobId, 'writing', about.artifactBytes);
      about = { ...about, lastBackup: { at: new Date(clock.now).toISOString(), head: audit.length } };
      return { path, bytes: about.artifactBytes, artifacts: records.length, auditHead: audit.length };
    },
    'vault.restore': async ({ path, jobId }) => {
      if (path.includes('broken'))
        throw new SallyportError('integrity.vault', 'The backup ends before its manifest.', {
          hint: 'Nothing was restored. Copy the file again, or use another backup.',
        });
      await job(jobId, 'checking', 92_508);
      vault = 'locked';
      push('invalidated', { topics: ['session'] });
      return session();
    },
    'vault.saveRecoveryKit': ({ path }) => ({ path }),
    'overview.get': () => ({
      models: new Set(records.map((record) => record.name)).size,
      versions: records.length,
      openRequests: requests.filter((view) => view.record.state === 'open').length,
      runningRollouts: options.empty ? 0 : 1,
      endpoints: endpoints.length,
      champions: options.empty
        ? []
        : [
            { name: 'phish-url', version: '1.1.0', rocAuc: 0.9731, f1: 0.9389 },
            { name: 'dns-tunnel', version: '2.4.1', rocAuc: 0.9655, f1: null },
          ],
      recent: audit.slice(0, 12),
      rollouts: rollouts.map(rolloutView),
      attention: options.empty
        ? []
        : [
            {
              kind: 'request',
              title: 'phish-url@1.2.0 waits for your approval',
              detail: 'Submitted by Ada Lovelace for production; 1 of 2 approvals.',
              link: '/requests/req-open',
            },
            {
              kind: 'endpoint',
              title: 'mail-gateway-standby-frankfurt-2 does not answer',
              detail: 'Last seen 6 minutes ago. What it serves goes on.',
              link: '/endpoints',
            },
          ],
    }),
    'models.list': ({ text, limit, offset }) => {
      const rows = records.map(row).filter((item) =>
        JSON.stringify(item)
          .toLowerCase()
          .includes(
            text
              .replace(/^[a-z]+:/, '')
              .replaceAll('"', '')
              .toLowerCase(),
          ),
      );
      return { rows: rows.slice(offset, offset + limit), total: rows.length };
    },
    'models.get': (ref) => versionView(versionOf(ref)),
    'models.inspectFile': ({ path }) => {
      if (path.includes('broken'))
        throw new SallyportError(
          'model.truncated',
          'The file ends in the middle of a tensor, at byte 61,440.',
          { hint: 'Nothing was stored. Copy the file again and compare its size with the original.' },
        );
      const record = data.version(clock, 'phish-url', '1.3.0', 'draft', 0);
      return {
        digest: record.digest,
        sizeBytes: record.sizeBytes,
        onnx: record.onnx,
        rulesRun: record.rulesRun,
        findings: [],
        mapping: record.mapping,
        mappingProblem: '',
      };
    },
    'models.add': async ({ name, version, metadata, jobId, parent }) => {
      await job(jobId, 'encrypting', 92_508);
      const record = data.version(clock, name, version, 'draft', 0, { metadata, parent });
      records.unshift(record);
      return versionView(record);
    },
    'models.setMapping': (ref) => versionView(versionOf(ref)),
    'models.alias': (ref) => versionView(versionOf(ref)),
    'models.archive': (ref) => versionView(versionOf(ref)),
    'models.revoke': (ref) => versionView(versionOf(ref)),
    'models.verify': async ({ jobId }) => {
      await job(jobId, 'hashing', 92_508);
      return { checked: 1, bytes: 92_508, bad: [] };
    },
    'models.describe': ({ name, version, metadata }) => {
      const at = records.findIndex((record) => record.name === name && record.version === version);
      const next = { ...versionOf({ name, version }), metadata };
      records[at] = next;
      push('invalidated', { topics: ['models'] });
      return versionView(next);
    },
    'models.unalias': () => ({ removed: true }),
    'models.diff': ({ a, b }) => vaultData.differences(versionOf(a), versionOf(b)),
    'models.collect': async ({ dryRun, jobId }) => {
      await job(jobId, dryRun ? 'looking' : 'removing', records.length);
      return vaultData.collection(records, dryRun);
    },
    'models.export': ({ directory }) => ({ path: `${directory}/model.onnx`, digest: data.hex('export') }),
    'validation.run': async ({ jobId, version, environmentId, data: chosen }) => {
      await job(jobId, 'calibrating', 0);
      await job(jobId, 'scoring', 12_480);
      if (chosen.path.includes('crash'))
        throw new SallyportError('engine.crashed', 'The model ended its process on row 8,112.', {
          hint: 'No report was kept. A second crash puts the model into quarantine.',
        });
      const report = {
        ...evidence.deepValidation(
          data.validation(clock, version, environments.find((item) => item.id === environmentId) ?? null, 0),
        ),
        id: `val-${reports.length + 1}`,
      };
      reports.unshift(report);
      return report;
    },
    'validation.list': ({ ref }) =>
      reports.filter(
        (report) => ref === null || (report.ref.name === ref.name && report.ref.version === ref.version),
      ),
    'validation.get': ({ id }) =>
      find(
        reports.find((report) => report.id === id),
        'The report',
      ),
    'comparison.run': async ({ jobId }) => {
      await job(jobId, 'scoring', 24_960);
      return find(comparisons[0], 'The comparison');
    },
    'comparison.list': () => comparisons,
    'comparison.get': ({ id }) =>
      find(
        comparisons.find((report) => report.id === id),
        'The comparison',
      ),
    ...rowHandlers({
      clock,
      operator: () => actor().name,
      labelled: (id) =>
        (reports.find((report) => report.id === id) ?? comparisons.find((report) => report.id === id))
          ?.dataset.labelled ?? true,
      models: ({ kind, id }) =>
        kind === 'validation' ? 1 : 2 + (comparisons.find((report) => report.id === id)?.others.length ?? 0),
      job,
      changed: () => push('invalidated', { topics: ['evidence'] }),
      empty: options.empty,
    }),
    'operators.list': () => operators,
    'operators.add': ({ name, person, roles }) => {
      const added: Operator = {
        ...(operators[0] as Operator),
        id: `op-${name}`,
        name,
        person,
        roles,
        keyFingerprint: data.hex(`key-${name}`),
      };
      operators.push(added);
      return added;
    },
    'operators.setRoles': ({ id, roles }) => setOperator(id, { roles }),
    'operators.setDisabled': ({ id, disabled }) =>
      setOperator(id, { disabledAt: disabled ? new Date(clock.now).toISOString() : null }),
    'operators.changePassphrase': ({ passphrase }) => {
      checkPassphrase(passphrase);
      return find(signedIn ?? undefined, 'The operator');
    },
    'environments.list': () => environments,
    'environments.add': ({ name, policy }) => {
      const added = {
        id: `${name}-${data.hex(name).slice(0, 32)}`,
        name,
        policy,
        createdAt: new Date(clock.now).toISOString(),
      };
      environments.push(added);
      return added;
    },
    'environments.setPolicy': ({ id, policy }) => {
      const at = environments.findIndex((item) => item.id === id);
      const next = { ...find(environments[at], 'The environment'), policy };
      environments[at] = next;
      return next;
    },
    'requests.list': () => requests.map(requestView),
    'requests.get': ({ id }) =>
      requestView(
        find(
          requests.find((view) => view.record.id === id),
          'The request',
        ),
      ),
    'requests.submit': ({ version, passphrase }) => {
      checkPassphrase(passphrase);
      const view = data.request(clock, `req-${requests.length + 1}`, version, 'open', [], 0);
      requests.unshift(view);
      return requestView(view);
    },
    'requests.approve': ({ id, passphrase }) => {
      checkPassphrase(passphrase);
      const { name, person } = actor();
      return changeRequest(id, (view) => {
        const approvals = [
          ...view.approvals,
          {
            requestId: id,
            operator: name,
            person,
            keyFingerprint: data.hex(`key-${name}`),
            kind: 'approval' as const,
            createdAt: new Date(clock.now).toISOString(),
          },
        ];
        const full =
          approvals.filter((approval) => approval.kind === 'approval').length >= view.record.quorum;
        return { ...view, approvals, record: { ...view.record, state: full ? 'approved' : 'open' } };
      });
    },
    'requests.reject': ({ id, reason }) =>
      changeRequest(id, (view) => ({ ...view, record: { ...view.record, state: 'rejected', reason } })),
    'requests.withdraw': ({ id }) =>
      changeRequest(id, (view) => ({ ...view, record: { ...view.record, state: 'withdrawn' } })),
    'endpoints.list': () => endpoints,
    'endpoints.add': ({ name }) => ({
      ...find(endpoints[2], 'The endpoint'),
      endpoint: { ...find(endpoints[2], 'The endpoint').endpoint, id: `ep-${name}`, name },
    }),
    'endpoints.check': ({ id }) =>
      find(endpoints.find((view) => view.endpoint.id === id)?.status ?? undefined, 'The endpoint'),
    'endpoints.remove': ({ id }) => {
      endpoints = endpoints.filter((view) => view.endpoint.id !== id);
      return { done: true };
    },
    'rollouts.list': () => rollouts.map(rolloutView),
    'rollouts.get': ({ id }) =>
      rolloutView(
        find(
          rollouts.find((view) => view.state.id === id),
          'The rollout',
        ),
      ),
    'rollouts.deploy': () => rolloutView(find(rollouts[0], 'The rollout')),
    'rollouts.pause': ({ id }) => setPhase(id, 'paused', `Paused by ${actor().name}.`),
    'rollouts.resume': ({ id }) => setPhase(id, 'stepping', 'Watching 50 % of the traffic.'),
    'rollouts.promote': ({ id }) =>
      setPhase(id, 'completed', 'Every step held its guards; it serves as stable.'),
    'rollouts.abort': ({ id }) => setPhase(id, 'rolled-back', `Aborted by ${actor().name}.`),
    'rollouts.rollback': () => ({
      version: '1.0.0',
      previous: '1.1.0',
      durationMs: 84,
      endpoints: ['mail-gateway-1'],
    }),
    'audit.list': ({ before, limit, text }) => {
      const found = audit.filter((entry) => `${entry.actor} ${entry.action} ${entry.subject}`.includes(text));
      return {
        entries: found.filter((entry) => before === null || entry.seq < before).slice(0, limit),
        total: found.length,
      };
    },
    'audit.verify': () => ({
      ok: true,
      entries: audit.length,
      head: { seq: audit[0]?.seq ?? 0, hash: audit[0]?.hash ?? '' },
      problems: [],
      signaturesChecked: 9,
      checkpointsChecked: 128,
      witnesses: [
        {
          name: 'keychain',
          status: 'agrees',
          detail: 'holds the head',
          proves: `The log ends where it ended when this machine last wrote it, at entry ${audit.length}.`,
        },
        {
          name: 'mail-gateway-1',
          status: 'agrees',
          detail: `checkpoint at ${audit.length - 4}`,
          proves: `The first ${audit.length - 4} entries are those it was told of.`,
        },
        { name: 'mail-gateway-standby-frankfurt-2', status: 'absent', detail: 'does not answer', proves: '' },
      ],
      restores: [],
      unproven: [],
    }),
    'audit.export': ({ path }) => ({ path, entries: audit.length, head: audit[0]?.hash ?? '' }),
    'audit.verifyFile': async ({ path, jobId }) => {
      await job(jobId, 'hashing', 1_284);
      if (path.includes('edited'))
        return {
          ...vaultData.fileVerdict(1_284),
          ok: false,
          problems: [{ seq: 412, problem: 'Its hash is not that of its content.' }],
        };
      return vaultData.fileVerdict(1_284);
    },
    'jobs.cancel': ({ jobId }) => {
      cancelled.add(jobId);
      return { done: true };
    },
    'dialogs.open': ({ kind }) => ({
      path:
        kind === 'dataset'
          ? '/data/feeds/phish-july-labelled.csv'
          : kind === 'model'
            ? '/data/models/phish-url-1.3.0.onnx'
            : kind === 'backup'
              ? '/media/safe/sallyport-2026-06-01.tar'
              : kind === 'audit'
                ? '/media/usb/audit.jsonl'
                : '/data/out',
    }),
    'dialogs.save': ({ suggestedName }) => ({ path: `/data/out/${suggestedName}` }),
  };

  async function call<C extends ChannelName>(
    channel: C,
    input: ChannelInput<C>,
  ): Promise<Result<ChannelOutput<C>>> {
    try {
      const parsed = CHANNELS[channel].input.parse(input);
      const output = await (handlers[channel] as (value: unknown) => unknown)(parsed);
      // Through JSON as well: what does not survive the wire must not work here either.
      return {
        ok: true,
        value: CHANNELS[channel].output.parse(JSON.parse(JSON.stringify(output))) as ChannelOutput<C>,
      };
    } catch (error) {
      if (!(error instanceof SallyportError)) console.error(channel, error);
      return { ok: false, error: toWireError(error) };
    }
  }
  return {
    call,
    on: (event, listener) => {
      const set = listeners.get(event) ?? new Set();
      set.add(listener as (payload: never) => void);
      listeners.set(event, set);
      return () => void set.delete(listener as (payload: never) => void);
    },
    pathForFile: (file) => `/dropped/${file.name}`,
    platform: 'linux',
    push,
  };
}

/** Requests: freeze a release for one environment, gather signatures over it, hand it to the rollout. */
import { parse, stringify } from 'yaml';
import { effectiveState, refusalOf, requestQuorum } from '../../../shared/domain/approval/lifecycle.ts';
import {
  type ApprovalRecord,
  dossierSchema,
  type ReleaseRequest,
  type RequestAction,
  type RequestRecord,
  requestActionSchema,
} from '../../../shared/domain/approval/request.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { formatRef, type ModelVersion, type VersionRef } from '../../../shared/domain/model/version.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import { policySchema } from '../../../shared/domain/policy/policy.ts';
import { type RolloutPlan, rolloutPlanSchema } from '../../../shared/domain/rollout/plan.ts';
import type { RequestView } from '../../../shared/domain/view/views.ts';
import type { ArtifactStore } from '../../ports/artifacts.ts';
import type { ReleasePackage } from '../../ports/endpoint.ts';
import type { ReleaseSigner } from '../../ports/signing.ts';
import type { StoreReader } from '../../ports/stores.ts';
import type { System } from '../../ports/system.ts';
import type { Ledger } from '../ledger.ts';
import { gatherDossier, requireStillThere } from './evidence.ts';
import { createReleaseFiles, releaseDirectoryName } from './release-files.ts';

export interface RequestsDeps {
  readonly vaultId: string;
  readonly ledger: Ledger;
  readonly artifacts: ArtifactStore;
  readonly signer: ReleaseSigner;
  readonly system: System;
  /** Unlocks an operator's private key with the passphrase for the time of one call; `auth.failed` otherwise. */
  readonly withOperatorKey: <T>(
    operatorId: string,
    passphrase: string,
    use: (privateKeyPem: string) => T,
  ) => Promise<T>;
}

export interface SubmitInput extends VersionRef {
  readonly environmentId: string;
  readonly passphrase: string;
  readonly plan: Omit<RolloutPlan, 'salt'>;
}

export interface SignatureCheck {
  readonly subject: string;
  /** Throws `integrity.signature` when the stored signature does not hold. */
  check(): void;
}

export interface RequestsService {
  list(actor: Actor): Promise<RequestView[]>;
  get(actor: Actor, input: { id: string }): Promise<RequestView>;
  submit(actor: Actor, input: SubmitInput): Promise<RequestView>;
  approve(actor: Actor, input: { id: string; passphrase: string }): Promise<RequestView>;
  reject(actor: Actor, input: { id: string; reason: string }): Promise<RequestView>;
  withdraw(actor: Actor, input: { id: string }): Promise<RequestView>;
  /** The verified release on its way out; throws unless its quorum holds now. */
  releasePackage(
    requestId: string,
  ): Promise<{ record: RequestRecord; plan: RolloutPlan; release: ReleasePackage }>;
  /** Every stored signature, for `audit verify`. */
  signatureChecks(): SignatureCheck[];
}

/** Submissions at one moment that may take each other's serial before one of them gives up. */
const SERIAL_ATTEMPTS = 5;

export function createRequestsService(deps: RequestsDeps): RequestsService {
  const { ledger, artifacts, signer, system, withOperatorKey, vaultId } = deps;
  const read = ledger.read;
  const files = createReleaseFiles({ read, artifacts, signer });

  async function viewOf(actor: Actor, record: RequestRecord): Promise<RequestView> {
    const now = system.now();
    const approvals = read.approvals(record.id);
    const refusals: Record<string, string> = {};
    const allowedActions: RequestAction[] = [];
    for (const action of requestActionSchema.options) {
      const refusal = refusalOf(action, record, approvals, actor, now);
      if (refusal === null) allowedActions.push(action);
      else refusals[action] = refusal;
    }
    return {
      record: { ...record, state: effectiveState(record, now) },
      approvals: approvals.map(({ bundle: _, ...approval }) => approval),
      plan: rolloutPlanSchema.parse(await files.json(record.id, 'plan.json')),
      policy: policySchema.parse(parse(await files.text(record.id, 'policy.yaml'))),
      dossier: dossierSchema.parse(await files.json(record.id, 'dossier.json')),
      files: files
        .stored(record.id)
        .files.map(({ name, digest, sizeBytes }) => ({ name, digest, sizeBytes })),
      allowedActions,
      refusals,
      rolloutIds: read
        .rollouts()
        .filter((r) => r.requestId === record.id)
        .map((r) => r.id),
    };
  }

  function recordOf(id: string): RequestRecord {
    const record = read.request(id);
    if (record === null)
      throw new SallyportError('not-found', `There is no request ${id}.`, {
        hint: 'List them with: sallyport request list',
      });
    return record;
  }

  function refuseUnless(action: RequestAction, record: RequestRecord, actor: Actor): void {
    const refusal = refusalOf(action, record, read.approvals(record.id), actor, system.now());
    if (refusal !== null)
      throw new SallyportError(
        action === 'deploy' ? 'refused.quorum' : 'refused.state',
        `Cannot ${action} request ${record.id}: ${refusal}`,
        { hint: 'Nothing was changed.' },
      );
  }

  /** The same rule within the transaction: another console may have decided since it was first asked. */
  function refuseChanged(action: RequestAction, tx: StoreReader, id: string, actor: Actor): void {
    const current = tx.request(id);
    const refusal =
      current === null ? 'it is gone.' : refusalOf(action, current, tx.approvals(id), actor, system.now());
    if (refusal !== null)
      throw new SallyportError('refused.state', `Cannot ${action} request ${id}: ${refusal}`, {
        hint: 'Nothing was changed.',
      });
  }

  return {
    list: async (actor) => Promise.all(read.requests().map((record) => viewOf(actor, record))),
    get: async (actor, { id }) => viewOf(actor, recordOf(id)),

    async submit(actor, input) {
      const ref = { name: input.name, version: input.version };
      await ledger.require(actor, 'request.submit', formatRef(ref));
      const model = read.version(ref);
      if (model === null)
        throw new SallyportError('not-found', `There is no ${formatRef(ref)}.`, {
          hint: 'List versions with: sallyport model list',
        });
      const environment = read.environment(input.environmentId);
      if (environment === null)
        throw new SallyportError('not-found', `There is no environment ${input.environmentId}.`, {
          hint: 'List them with: sallyport environment list',
        });
      const planned = rolloutPlanSchema.safeParse({
        ...input.plan,
        salt: Buffer.from(system.randomBytes(16)).toString('hex'),
      });
      if (!planned.success) {
        throw new SallyportError(
          'input.invalid',
          `This plan cannot be run: ${planned.error.issues.map((i) => i.message).join(' ')}`,
          { hint: 'Nothing was submitted.' },
        );
      }
      const dossier = gatherDossier(read, model, environment, (bytes) => system.sha256(bytes));
      const operator = read.operator(actor.operatorId);
      if (operator === null) throw new SallyportError('not-found', `There is no operator ${actor.name}.`);
      await artifacts.verify(model.artifactId, model.digest);

      const id = system.newId();
      const now = system.now();
      const makeRequest = (serial: number): ReleaseRequest => ({
        vaultId,
        requestId: id,
        ...ref,
        digest: model.digest,
        environmentId: environment.id,
        serial,
        submitter: { name: operator.name, person: operator.person, keyFingerprint: operator.keyFingerprint },
        createdAt: now.toISOString(),
        notAfter: new Date(now.getTime() + environment.policy.requestHours * 3_600_000).toISOString(),
      });
      for (let attempt = 1; ; attempt++) {
        const serial = read.lastSerial(environment.id) + 1;
        const request = makeRequest(serial);
        const texts: Record<string, string> = {
          'request.json': json(request),
          'plan.json': json(planned.data),
          'policy.yaml': stringify(environment.policy),
          'dossier.json': json(dossier),
        };
        const stored: { name: string; artifactId: string; digest: string; sizeBytes: number }[] = [];
        try {
          for (const [name, text] of Object.entries(texts)) {
            stored.push({ name, ...(await artifacts.putBytes(Buffer.from(text, 'utf8'))) });
            system.reached('submit.file');
          }
          const files = [
            ...stored,
            {
              name: 'model.onnx',
              artifactId: model.artifactId,
              digest: model.digest,
              sizeBytes: model.sizeBytes,
            },
          ].sort((a, b) => (a.name < b.name ? -1 : 1));
          const directory = releaseDirectoryName(ref);
          const root = signer.root(directory, files);
          const bundle = await withOperatorKey(operator.id, input.passphrase, (key) =>
            signer.sign(directory, files, key, operator.publicKeyPem),
          );
          system.reached('submit.signed');
          const record: RequestRecord = {
            id,
            request,
            environmentName: environment.name,
            root,
            state: 'open',
            reason: '',
            quorum: environment.policy.quorum.approvals,
            createdAt: now.toISOString(),
          };
          await ledger.commit(
            actor,
            {
              action: 'request.submitted',
              subject: id,
              details: {
                model: formatRef(ref),
                digest: model.digest,
                environment: environment.name,
                serial,
                root,
                strategy: planned.data.strategy,
                steps: planned.data.steps,
              },
            },
            (tx) => {
              // Two submissions at once: the second one's serial is taken, and its signed request would lie.
              if (tx.lastSerial(environment.id) + 1 !== serial)
                throw new SallyportError('conflict', 'Another request was submitted at the same moment.', {
                  hint: 'Submit again.',
                });
              requireStillThere(tx, model);
              tx.insertRequest(record, { files });
              tx.insertApproval(approvalOf(record.id, operator, 'submission', bundle, now));
            },
          );
          return viewOf(actor, record);
        } catch (error) {
          await Promise.all(stored.map((file) => artifacts.discard(file.artifactId)));
          // Another submission took the serial this one had signed: sign the next one.
          const taken = error instanceof SallyportError && error.code === 'conflict';
          if (!taken || attempt >= SERIAL_ATTEMPTS) throw error;
        }
      }
    },

    async approve(actor, { id, passphrase }) {
      const record = recordOf(id);
      await ledger.require(actor, 'request.approve', id);
      refuseUnless('approve', record, actor);
      const operator = read.operator(actor.operatorId);
      if (operator === null) throw new SallyportError('not-found', `There is no operator ${actor.name}.`);
      const signed = await files.verify(record);
      const bundle = await withOperatorKey(operator.id, passphrase, (key) =>
        signer.sign(releaseDirectoryName(record.request), signed, key, operator.publicKeyPem),
      );
      system.reached('approve.signed');
      const approval = approvalOf(id, operator, 'approval', bundle, system.now());
      const state = await ledger.commit(
        actor,
        (met: boolean) => ({
          action: 'request.approved',
          subject: id,
          details: {
            model: formatRef(record.request),
            root: record.root,
            keyFingerprint: operator.keyFingerprint,
            quorumMet: met,
          },
        }),
        (tx) => {
          refuseChanged('approve', tx, id, actor);
          tx.insertApproval(approval);
          const { met } = requestQuorum(record, tx.approvals(id));
          if (met) tx.setRequestState(id, 'approved', '');
          return met;
        },
      );
      return viewOf(actor, { ...record, state: state ? 'approved' : 'open' });
    },

    async reject(actor, { id, reason }) {
      const record = recordOf(id);
      await ledger.require(actor, 'request.reject', id);
      refuseUnless('reject', record, actor);
      await ledger.commit(
        actor,
        { action: 'request.rejected', subject: id, details: { model: formatRef(record.request), reason } },
        (tx) => {
          refuseChanged('reject', tx, id, actor);
          tx.setRequestState(id, 'rejected', reason);
        },
      );
      return viewOf(actor, recordOf(id));
    },

    async withdraw(actor, { id }) {
      const record = recordOf(id);
      await ledger.require(actor, 'request.withdraw', id);
      refuseUnless('withdraw', record, actor);
      await ledger.commit(
        actor,
        { action: 'request.withdrawn', subject: id, details: { model: formatRef(record.request) } },
        (tx) => {
          refuseChanged('withdraw', tx, id, actor);
          tx.setRequestState(id, 'withdrawn', 'Withdrawn by the submitter.');
        },
      );
      return viewOf(actor, recordOf(id));
    },

    async releasePackage(requestId) {
      const record = recordOf(requestId);
      refuseWithdrawnVersion(read.version(record.request));
      const state = effectiveState(record, system.now());
      if (state !== 'approved') {
        const { counted, needed } = requestQuorum(record, read.approvals(requestId));
        throw new SallyportError(
          state === 'expired' ? 'refused.expired' : 'refused.quorum',
          `Request ${requestId} is ${state}${state === 'open' ? `: it has ${counted.length} of ${needed} approvals` : ''}.`,
          { hint: 'Nothing was sent.' },
        );
      }
      const verified = files.holding(record);
      if (!requestQuorum(record, verified).met) {
        throw new SallyportError(
          'integrity.signature',
          `The stored approvals of request ${requestId} do not verify.`,
          { hint: 'Nothing was sent. Run: sallyport audit verify' },
        );
      }
      await files.verify(record);
      return {
        record,
        plan: rolloutPlanSchema.parse(await files.json(requestId, 'plan.json')),
        release: {
          name: record.request.name,
          version: record.request.version,
          root: record.root,
          bundles: verified.map((a) => a.bundle),
          files: files.stored(requestId).files.map((f) => ({
            name: f.name,
            digest: f.digest,
            sizeBytes: f.sizeBytes,
            open: () => artifacts.read(f.artifactId, f.digest),
          })),
        },
      };
    },

    signatureChecks() {
      return read.requests().flatMap((record) =>
        read.approvals(record.id).map((approval) => ({
          subject: `${approval.kind} of request ${record.id} by ${approval.operator}`,
          check: () => files.verifyApproval(approval, record),
        })),
      );
    },
  };
}

/** An approval does not outlive its version: what was revoked or archived since is not released any more. */
function refuseWithdrawnVersion(model: ModelVersion | null): void {
  if (model?.state !== 'revoked' && model?.state !== 'archived') return;
  throw new SallyportError('refused.state', `${formatRef(model)} is ${model.state}.`, {
    hint: 'Nothing was sent. Release another version.',
  });
}

function approvalOf(
  requestId: string,
  operator: { name: string; person: string; keyFingerprint: string },
  kind: ApprovalRecord['kind'],
  bundle: string,
  now: Date,
): ApprovalRecord {
  return {
    requestId,
    operator: operator.name,
    person: operator.person,
    keyFingerprint: operator.keyFingerprint,
    kind,
    bundle,
    createdAt: now.toISOString(),
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

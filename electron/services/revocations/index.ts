/** Revoking where it is served: signed with the operator's own key, entered into the log, then sent to the endpoints. */
import { z } from 'zod';
import type { Endpoint, RevocationReceipt } from '../../../shared/domain/endpoint/endpoint.ts';
import { REVOCATION_FILE, type Revocation } from '../../../shared/domain/endpoint/revocation.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { formatRef, type ModelVersion, type VersionRef } from '../../../shared/domain/model/version.ts';
import { type Actor, isActive, type Operator } from '../../../shared/domain/operator/operator.ts';
import type { EndpointClient, SignedRevocation } from '../../ports/endpoint.ts';
import type { ReleaseSigner } from '../../ports/signing.ts';
import type { System } from '../../ports/system.ts';
import type { Ledger } from '../ledger.ts';
import type { RegistryService } from '../registry/index.ts';
import { resolveTarget } from '../rollouts/target.ts';

export interface RevocationsDeps {
  readonly vaultId: string;
  readonly ledger: Ledger;
  readonly signer: ReleaseSigner;
  readonly system: System;
  readonly models: Pick<RegistryService, 'get' | 'revoke'>;
  readonly withOperatorKey: <T>(
    operatorId: string,
    passphrase: string,
    use: (privateKeyPem: string) => T,
  ) => Promise<T>;
  readonly clientFor: (endpointId: string) => EndpointClient;
  /** Told after an endpoint obeyed, so that what it serves now is known. */
  readonly onMoved: (endpointId: string) => Promise<unknown>;
}

export interface RevokeOnInput extends VersionRef {
  readonly reason: string;
  /** Environment or endpoint, by name. */
  readonly target: string;
  readonly passphrase: string;
}

export interface RevokedOn {
  readonly serial: number;
  readonly digest: string;
  readonly endpoints: readonly EndpointOutcome[];
}

export interface EndpointOutcome {
  readonly name: string;
  /** What it serves of the model now; null where no good version is left. */
  readonly serves: string | null;
  /** Whether it knows the model at all. */
  readonly known: boolean;
}

export interface RevocationsService {
  /**
   * Revokes a version in the vault, where it is not yet, and at every endpoint of a target. May be repeated: each call
   * signs with a serial of its own, and an endpoint that has obeyed already changes nothing. `endpoint.*` where one did
   * not; the others have.
   */
  revoke(actor: Actor, input: RevokeOnInput): Promise<RevokedOn>;
}

/** Setting: the last serial that was given to a revocation of this vault. */
const SERIAL = 'revocations.serial';

export function createRevocationsService(deps: RevocationsDeps): RevocationsService {
  const { vaultId, ledger, signer, system, models } = deps;

  /** Above every serial that the endpoints hold: a vault restored from a backup has forgotten its last ones. */
  async function highestSerial(endpoints: readonly Endpoint[]): Promise<number> {
    const held = await Promise.all(
      // One that does not answer is told of when it is sent to.
      endpoints.map(({ id }) =>
        deps
          .clientFor(id)
          .revocations()
          .catch(() => []),
      ),
    );
    const serials = held.flat().filter((each) => each.vaultId === vaultId);
    return Math.max(0, ...serials.map(({ serial }) => serial));
  }

  async function sign(operator: Operator, passphrase: string, body: Revocation): Promise<SignedRevocation> {
    const revocation = `${JSON.stringify(body, null, 2)}\n`;
    const digest = Buffer.from(system.sha256(Buffer.from(revocation, 'utf8'))).toString('hex');
    const bundle = await deps.withOperatorKey(operator.id, passphrase, (key) =>
      signer.sign(
        `revocation-${body.serial}`,
        [{ name: REVOCATION_FILE, digest }],
        key,
        operator.publicKeyPem,
      ),
    );
    return { revocation, bundle };
  }

  async function send(
    actor: Actor,
    model: ModelVersion,
    endpoint: Endpoint,
    serial: number,
    signed: SignedRevocation,
  ): Promise<EndpointOutcome> {
    const write = (details: Record<string, string | null>) =>
      ledger.commit(
        actor,
        {
          action: 'revocation.sent',
          subject: formatRef(model),
          details: { endpoint: endpoint.name, serial, ...details },
        },
        () => undefined,
      );
    let receipt: RevocationReceipt;
    try {
      receipt = await deps.clientFor(endpoint.id).revoke(signed);
    } catch (error) {
      await write({ failed: error instanceof SallyportError ? error.message : 'unexpected' });
      throw error;
    }
    const routed = receipt.models.find((each) => each.name === model.name);
    const serves = routed?.stable?.version ?? null;
    await write({ serves });
    await deps.onMoved(endpoint.id).catch(() => undefined);
    return { name: endpoint.name, serves, known: routed !== undefined };
  }

  return {
    async revoke(actor, input) {
      const { name, version, reason, target, passphrase } = input;
      await ledger.require(actor, 'model.revoke', `${formatRef({ name, version })} on ${target}`);
      const { environmentId, endpoints } = resolveTarget(ledger.read, target);
      const operator = ledger.read.operator(actor.operatorId);
      if (operator === null || !isActive(operator))
        throw new SallyportError('not-found', `There is no operator ${actor.name}.`);
      const { version: model } = models.get(actor, { name, version });
      const highest = await highestSerial(endpoints);
      const serial = Math.max(Number(ledger.read.setting(SERIAL) ?? 0), highest) + 1;
      const body: Revocation = {
        vaultId,
        environmentId,
        serial,
        name,
        version,
        digest: model.digest,
        reason,
        createdAt: system.now().toISOString(),
      };
      // Signed before anything is written: a wrong passphrase changes nothing.
      const signed = await sign(operator, passphrase, body);
      if (model.state !== 'revoked') await models.revoke(actor, { name, version, reason });
      await ledger.commit(
        actor,
        {
          action: 'revocation.signed',
          subject: formatRef(model),
          details: {
            target,
            environmentId,
            serial,
            digest: model.digest,
            reason,
            key: operator.keyFingerprint,
          },
        },
        (tx) => {
          if (z.coerce.number().parse(tx.setting(SERIAL) ?? 0) >= serial)
            throw new SallyportError('conflict', 'Another revocation was signed at the same moment.', {
              hint: 'The version is revoked here. Run it again for the endpoints.',
            });
          tx.setSetting(SERIAL, String(serial));
        },
      );
      const outcomes = await Promise.allSettled(
        endpoints.map((endpoint) => send(actor, model, endpoint, serial, signed)),
      );
      const failed = outcomes.findIndex((outcome) => outcome.status === 'rejected');
      const failure = outcomes[failed];
      if (failure?.status === 'rejected') {
        const cause: unknown = failure.reason;
        const done = outcomes.filter((outcome) => outcome.status === 'fulfilled').length;
        throw new SallyportError(
          cause instanceof SallyportError ? cause.code : 'endpoint.refused',
          `${endpoints[failed]?.name ?? target} did not revoke ${formatRef(model)}: ${cause instanceof Error ? cause.message : 'unknown error'}`,
          {
            hint: `It is revoked here, and on ${done} of ${endpoints.length} endpoints. Run it again for the rest.`,
            cause,
          },
        );
      }
      return {
        serial,
        digest: model.digest,
        endpoints: outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
      };
    },
  };
}

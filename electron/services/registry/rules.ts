import { SallyportError } from '../../../shared/domain/errors.ts';
import {
  fileRefusal,
  permissionOf,
  REMOVED_HINT,
  stateRefusal,
} from '../../../shared/domain/model/actions.ts';
import {
  formatRef,
  type ModelVersion,
  type VersionRef,
  versionRefSchema,
} from '../../../shared/domain/model/version.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { VersionAction } from '../../../shared/domain/view/views.ts';
import type { StoreReader } from '../../ports/stores.ts';
import { parseInput } from '../input.ts';
import type { Ledger } from '../ledger.ts';
import { versionContext } from './view.ts';

/** Finds versions and asks the domain's rules about them. */
export interface VersionRules {
  /** Throws `not-found`. */
  find(input: VersionRef): ModelVersion;
  /** The version, once role and state allow the action; refusals by role are audited. */
  allowed(actor: Actor, action: VersionAction, input: VersionRef): Promise<ModelVersion>;
  /** Throws `refused.state`. Judged again inside the transaction, on the row as it is there. */
  checkState(action: VersionAction, version: ModelVersion, read?: StoreReader): void;
}

export function versionRules(ledger: Ledger): VersionRules {
  const find: VersionRules['find'] = (input) => {
    const ref = parseInput(versionRefSchema, { name: input.name, version: input.version });
    const version = ledger.read.version(ref);
    if (version) return version;
    throw new SallyportError('not-found', `There is no version ${formatRef(ref)}.`, {
      hint: 'See `sallyport model list` for what is there.',
      facts: { ref: formatRef(ref) },
    });
  };
  const checkState: VersionRules['checkState'] = (action, version, read = ledger.read) => {
    const refusal = stateRefusal(action, version, versionContext(read, version));
    if (refusal === null) return;
    throw new SallyportError('refused.state', refusal, {
      hint: refusal === fileRefusal(version) ? REMOVED_HINT : 'Nothing was changed.',
      facts: { ref: formatRef(version), action },
    });
  };
  return {
    find,
    checkState,
    allowed: async (actor, action, input) => {
      const version = find(input);
      await ledger.require(actor, permissionOf(action), formatRef(version));
      checkState(action, version);
      return version;
    },
  };
}

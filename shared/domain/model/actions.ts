import { type Actor, isPermitted, type Permission } from '../operator/operator.ts';
import type { VersionAction, VersionView } from '../view/views.ts';
import { formatRef, type ModelVersion } from './version.ts';

/** What the rules look at besides the version itself. */
export interface VersionContext {
  readonly aliases: readonly string[];
  readonly deployedOn: VersionView['deployedOn'];
}

export const VERSION_ACTIONS: readonly VersionAction[] = [
  'validate',
  'map',
  'describe',
  'alias',
  'submit',
  'archive',
  'revoke',
  'export',
  'verify',
];

const PERMISSION: Readonly<Record<VersionAction, Permission>> = {
  validate: 'validation.run',
  map: 'model.map',
  describe: 'model.describe',
  alias: 'model.alias',
  submit: 'request.submit',
  archive: 'model.archive',
  revoke: 'model.revoke',
  export: 'model.export',
  verify: 'model.verify',
};

/** The permission an action needs. */
export function permissionOf(action: VersionAction): Permission {
  return PERMISSION[action];
}

/**
 * Why the version's state does not allow `action`, or null where it does. The one home of the rule: services refuse
 * by it, views derive their buttons from it. Roles are judged apart, by `permissionOf`.
 */
export function stateRefusal(
  action: VersionAction,
  version: ModelVersion,
  context: VersionContext,
): string | null {
  const ref = formatRef(version);
  switch (action) {
    case 'export':
    case 'verify':
      return fileRefusal(version);
    case 'describe':
      return version.state === 'revoked' ? `${ref} is revoked.` : null;
    case 'revoke':
      return version.state === 'revoked' ? `${ref} is revoked already.` : null;
    case 'map':
    case 'alias':
      return closed(version, ref);
    case 'validate':
      return closed(version, ref) ?? (version.mapping ? null : `${ref} has no output mapping yet.`);
    case 'submit':
      if (version.state !== 'validated')
        return `${ref} is ${version.state}; only a validated version is submitted.`;
      return version.metadata.permittedToDeploy === false
        ? `${ref} is marked as not permitted to deploy.`
        : null;
    case 'archive': {
      const alias = context.aliases[0];
      const serving = context.deployedOn.find(({ role }) => role !== 'previous');
      if (alias !== undefined) return `${ref} is the ${alias} of ${version.name}; move that alias first.`;
      return closed(version, ref) ?? (serving ? `${ref} is serving on ${serving.endpoint}.` : null);
    }
  }
}

/** Why the version's bytes cannot be read, or null. Adding the same file under the same version brings them back. */
export function fileRefusal(version: ModelVersion): string | null {
  if (version.removedAt === null || version.removedAt === undefined) return null;
  return `The file of ${formatRef(version)} was removed on ${version.removedAt.slice(0, 10)} by ${version.removedBy ?? 'the program'}.`;
}

/** What to do about it. */
export const REMOVED_HINT =
  'Its record, digest and reports are kept. Adding the same file again under this version brings it back.';

function closed(version: ModelVersion, ref: string): string | null {
  return version.state === 'archived' || version.state === 'revoked' ? `${ref} is ${version.state}.` : null;
}

/** What this actor may do with this version now, in the order of the buttons. */
export function allowedVersionActions(
  version: ModelVersion,
  context: VersionContext,
  actor: Actor,
): VersionAction[] {
  return VERSION_ACTIONS.filter(
    (action) =>
      isPermitted(actor.roles, PERMISSION[action]) && stateRefusal(action, version, context) === null,
  );
}

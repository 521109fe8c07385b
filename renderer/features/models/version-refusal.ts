import { permissionOf, stateRefusal } from '../../../shared/domain/model/actions.ts';
import type { Role } from '../../../shared/domain/operator/operator.ts';
import type { VersionAction, VersionView } from '../../../shared/domain/view/views.ts';
import { roleRefusal } from '../../api/session.ts';

/**
 * Why an action on a version is off, for its tooltip; null where it is allowed. Whether it is allowed is the main
 * process's answer (`allowedActions`); the reason comes from the same domain rules.
 */
export function versionRefusal(
  view: VersionView,
  action: VersionAction,
  roles: readonly Role[],
): string | null {
  if (view.allowedActions.includes(action)) return null;
  return (
    roleRefusal(roles, permissionOf(action)) ??
    stateRefusal(action, view.version, view) ??
    `Not possible while it is ${view.version.state}.`
  );
}

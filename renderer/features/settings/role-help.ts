import type { Role } from '../../../shared/domain/operator/operator.ts';

/** What each role is for, in a line. */
export const ROLE_HELP: Readonly<Record<Role, string>> = {
  analyst: 'adds, maps, validates, compares, submits',
  'release-manager': 'approves, deploys, controls rollouts, rolls back',
  auditor: 'exports and verifies the log, exports models',
  administrator: 'manages operators, environments, endpoints, the vault itself',
};

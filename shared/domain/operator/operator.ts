import { z } from 'zod';

export const roleSchema = z.enum(['analyst', 'release-manager', 'auditor', 'administrator']);
export type Role = z.infer<typeof roleSchema>;

export const operatorSchema = z.object({
  id: z.string(),
  /** Sign-in name. */
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,59}$/, {
    error: 'An operator name is lower-case letters, digits, dots, underscores and hyphens.',
  }),
  /** The human being behind the name; quorum counts people, not names. */
  person: z.string().min(1).max(200),
  roles: z.array(roleSchema).min(1),
  /** P-256 SubjectPublicKeyInfo, PEM text. */
  publicKeyPem: z.string(),
  /** SHA-256 hex of that PEM text: the key's fingerprint and the signature bundles' hint. */
  keyFingerprint: z.string(),
  createdAt: z.string(),
  /** When an administrator took the account out of use; null or missing while it is in use. */
  disabledAt: z.string().nullable().optional(),
  /** When roles, passphrase or use were last changed: sessions that began before end. Missing before the first change. */
  changedAt: z.string().optional(),
});
export type Operator = z.infer<typeof operatorSchema>;

/** Whether an operator may sign in, act and sign. */
export function isActive(operator: Pick<Operator, 'disabledAt'>): boolean {
  return (operator.disabledAt ?? null) === null;
}

/**
 * Why `next` may not take the place of the operator with its id, or null where it may: somebody has to remain who can
 * let others in. Judged inside the transaction that stores it.
 */
export function changeRefusal(operators: readonly Operator[], next: Operator): string | null {
  const administers = (each: Operator): boolean => isActive(each) && each.roles.includes('administrator');
  const after = operators.map((each) => (each.id === next.id ? next : each));
  return after.some(administers) ? null : `${next.name} is the last active administrator.`;
}

/** Who acts. Made only by a successful sign-in. */
export interface Actor {
  readonly operatorId: string;
  readonly name: string;
  readonly person: string;
  readonly roles: readonly Role[];
}

/** Who may do what: the one table. Reading is open to every signed-in operator except where listed. */
export const PERMISSIONS = {
  'model.add': ['analyst'],
  'model.describe': ['analyst', 'release-manager'],
  'model.map': ['analyst'],
  'model.alias': ['analyst', 'release-manager'],
  /** Moving one of the vault's protected aliases. */
  'model.alias-protected': ['release-manager'],
  'model.archive': ['analyst', 'release-manager'],
  'model.revoke': ['release-manager', 'administrator'],
  'model.export': ['analyst', 'release-manager', 'auditor'],
  'model.collect': ['release-manager', 'administrator'],
  'model.lift-quarantine': ['release-manager', 'administrator'],
  'model.verify': ['analyst', 'release-manager', 'auditor', 'administrator'],
  'validation.run': ['analyst', 'release-manager'],
  'comparison.run': ['analyst', 'release-manager'],
  'dataset.register': ['analyst', 'release-manager'],
  'rows.label': ['analyst', 'release-manager'],
  'rows.export': ['analyst', 'release-manager', 'auditor'],
  'report.export': ['analyst', 'release-manager', 'auditor'],
  'request.submit': ['analyst', 'release-manager'],
  'request.withdraw': ['analyst', 'release-manager'],
  'request.approve': ['release-manager'],
  'request.reject': ['release-manager'],
  'rollout.deploy': ['release-manager'],
  'rollout.control': ['release-manager'],
  'rollout.rollback': ['release-manager', 'administrator'],
  'endpoint.manage': ['administrator', 'release-manager'],
  'environment.manage': ['administrator'],
  'operator.manage': ['administrator'],
  'vault.settings': ['administrator'],
  'vault.rekey': ['administrator'],
  'vault.backup': ['administrator'],
  'audit.export': ['auditor', 'administrator'],
  'audit.verify': ['analyst', 'release-manager', 'auditor', 'administrator'],
} as const satisfies Record<string, readonly Role[]>;
export type Permission = keyof typeof PERMISSIONS;

export function isPermitted(roles: readonly Role[], permission: Permission): boolean {
  const allowed: readonly Role[] = PERMISSIONS[permission];
  return roles.some((role) => allowed.includes(role));
}

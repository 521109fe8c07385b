import { IconCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import {
  PERMISSIONS,
  type Permission,
  type Role,
  roleSchema,
} from '../../../shared/domain/operator/operator.ts';
import { ROLE_NAMES } from '../../api/session.ts';
import { Panel, SimpleTable } from '../../ui/page.tsx';

/** Who may do what, from the one table the program itself decides by. */
export function RolesPanel(): ReactNode {
  const roles = roleSchema.options;
  return (
    <Panel title="Roles" note="everybody signed in may read" flush>
      <SimpleTable
        label="Roles and what they may do"
        columns={['Permission', ...roles.map((role) => ROLE_NAMES[role])]}
        rows={(Object.keys(PERMISSIONS) as Permission[]).map((permission) => {
          const allowed: readonly Role[] = PERMISSIONS[permission];
          return {
            key: permission,
            cells: [
              <span key="p" className="mono">
                {permission}
              </span>,
              ...roles.map((role) =>
                allowed.includes(role) ? (
                  <IconCheck
                    key={role}
                    size={15}
                    aria-label="may"
                    style={{ color: 'var(--sp-ok)', display: 'block' }}
                  />
                ) : (
                  <span key={role} style={{ color: 'var(--sp-dim)' }} role="img" aria-label="may not">
                    ·
                  </span>
                ),
              ),
            ],
          };
        })}
      />
    </Panel>
  );
}

import type { Migration } from '../../../shared/node/sqlite/migrate.ts';
import { AUDIT } from './migrations/audit.ts';
import { EVIDENCE } from './migrations/evidence.ts';
import { INITIAL } from './migrations/initial.ts';
import { REGISTRY } from './migrations/registry.ts';

/** The registry's schema, step by step. Forward only: a released step is never edited, a new one is appended. */
export const MIGRATIONS: readonly Migration[] = [
  { number: 1, title: 'initial schema', sql: INITIAL },
  { number: 2, title: 'search, retention and evidence', sql: [REGISTRY, AUDIT, EVIDENCE].join('\n') },
];

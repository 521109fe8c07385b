import type { AuditAction } from '../../shared/domain/audit/entry.ts';

/** Parts of the program that a change concerns: the areas of the contract. */
export type ChangeTopic =
  | 'session'
  | 'vault'
  | 'models'
  | 'validation'
  | 'comparison'
  | 'evidence'
  | 'operators'
  | 'environments'
  | 'requests'
  | 'endpoints'
  | 'rollouts'
  | 'audit'
  | 'overview';

const TOPICS: Readonly<Record<string, readonly ChangeTopic[]>> = {
  vault: ['session'],
  session: ['session'],
  operator: ['operators', 'session'],
  environment: ['environments'],
  model: ['models'],
  validation: ['validation', 'models', 'evidence'],
  comparison: ['comparison', 'evidence'],
  rows: [],
  dataset: ['evidence'],
  report: [],
  run: ['evidence'],
  request: ['requests', 'models'],
  endpoint: ['endpoints', 'models'],
  revocation: ['models', 'endpoints', 'rollouts'],
  rollout: ['rollouts', 'requests', 'models', 'endpoints'],
};

/** What a window has to read again after an action; the log itself and the overview always. */
export function topicsOf(action: AuditAction): ChangeTopic[] {
  const area = action.split('.')[0] ?? '';
  return [...(TOPICS[area] ?? []), 'audit', 'overview'];
}

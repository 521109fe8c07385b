import type { Policy } from './policy.ts';

/** For trying a version out: a model that works, one approver, no comparison needed. */
export const STAGING_POLICY: Policy = {
  version: 1,
  gates: [
    { metric: 'roc_auc', min: 0.7 },
    { metric: 'false_positive_rate', max: 0.1 },
    { metric: 'latency_p95_ms', max: 250 },
  ],
  minimumRows: 200,
  datasets: [],
  maximumSeverity: 'medium',
  quorum: { approvals: 1 },
  requestHours: 24 * 7,
};

/** For what answers real traffic: no worse than the champion, few false alarms, two approvers besides the submitter. */
export const PRODUCTION_POLICY: Policy = {
  version: 1,
  gates: [
    { metric: 'precision', min: 0.9 },
    { metric: 'roc_auc', min: 0.8, maxRegression: 0.01 },
    { metric: 'recall', maxRegression: 0.02 },
    { metric: 'false_positive_rate', max: 0.05, maxRegression: 0.01 },
    { metric: 'latency_p95_ms', max: 100 },
  ],
  minimumRows: 1000,
  datasets: [],
  maximumSeverity: 'medium',
  quorum: { approvals: 2 },
  requestHours: 24 * 3,
};

/** The policy a new environment starts with, by its name: production's for everything that is not plainly a place to try things. */
export function presetPolicy(environmentName: string): Policy {
  return /^(?:staging|stage|test|dev|development|lab|sandbox)(?:-|$)/.test(environmentName)
    ? STAGING_POLICY
    : PRODUCTION_POLICY;
}

import { parse } from 'yaml';
import { type Policy, policySchema } from '../../shared/domain/policy/policy.ts';

/** What a new environment's form begins with. */
export const STARTING_POLICY: Policy = {
  version: 1,
  gates: [
    { metric: 'roc_auc', min: 0.9 },
    { metric: 'false_positive_rate', max: 0.05 },
    { metric: 'latency_p95_ms', max: 50 },
  ],
  minimumRows: 1000,
  datasets: [],
  maximumSeverity: 'medium',
  quorum: { approvals: 2 },
  requestHours: 72,
};

/** A policy read from YAML text, or why it cannot be one. */
export function parsePolicy(text: string): {
  readonly policy: Policy | null;
  readonly problem: string | null;
} {
  let value: unknown;
  try {
    value = parse(text);
  } catch (error) {
    return {
      policy: null,
      problem: error instanceof Error ? (error.message.split('\n')[0] ?? 'Not YAML.') : 'Not YAML.',
    };
  }
  const parsed = policySchema.safeParse(value);
  if (parsed.success) return { policy: parsed.data, problem: null };
  const issue = parsed.error.issues[0];
  return {
    policy: null,
    problem: issue === undefined ? 'Not a policy.' : `${issue.path.join('.') || 'policy'}: ${issue.message}`,
  };
}

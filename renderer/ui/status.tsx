import { IconCrown } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { RequestState } from '../../shared/domain/approval/request.ts';
import type { EndpointStatus } from '../../shared/domain/endpoint/endpoint.ts';
import type { VersionState } from '../../shared/domain/model/version.ts';
import type { RolloutPhase, Verdict } from '../../shared/domain/rollout/state.ts';
import type { Severity } from '../../shared/domain/scan/finding.ts';
import styles from './status.module.css';

export type Tone = 'ok' | 'warn' | 'bad' | 'accent' | 'idle';

interface StatusProps {
  readonly tone: Tone;
  readonly children: ReactNode;
  /** Something is going on right now. */
  readonly live?: boolean;
  readonly title?: string;
}

/** The one status badge: a dot and a word. The word carries the meaning, the colour only repeats it. */
export function Status({ tone, children, live = false, title }: StatusProps): ReactNode {
  return (
    <span className={`${styles.pill} ${styles[tone]}`} title={title}>
      <span className={`${styles.dot} ${live ? styles.pulse : ''}`} aria-hidden />
      {children}
    </span>
  );
}

const VERSION_TONES: Readonly<Record<VersionState, Tone>> = {
  draft: 'idle',
  validated: 'ok',
  archived: 'idle',
  revoked: 'bad',
};
export function VersionStatus({ state }: { readonly state: VersionState }): ReactNode {
  return <Status tone={VERSION_TONES[state]}>{state}</Status>;
}

const REQUEST_TONES: Readonly<Record<RequestState, Tone>> = {
  open: 'accent',
  approved: 'ok',
  rejected: 'bad',
  withdrawn: 'idle',
  expired: 'warn',
  revoked: 'bad',
};
export function RequestStatus({ state }: { readonly state: RequestState }): ReactNode {
  return <Status tone={REQUEST_TONES[state]}>{state}</Status>;
}

const PHASE_TONES: Readonly<Record<RolloutPhase, Tone>> = {
  preparing: 'accent',
  stepping: 'accent',
  promoting: 'accent',
  completed: 'ok',
  paused: 'warn',
  'rolling-back': 'bad',
  'rolled-back': 'bad',
  failed: 'bad',
};
const RUNNING: readonly RolloutPhase[] = ['preparing', 'stepping', 'promoting', 'rolling-back'];
export function isRunning(phase: RolloutPhase): boolean {
  return RUNNING.includes(phase);
}
export function isFinal(phase: RolloutPhase): boolean {
  return phase === 'completed' || phase === 'rolled-back' || phase === 'failed';
}
/** Whether a person took the version back by intent, which is no failure: the rollout says so in its reason. */
export function isDeliberate(reason: string): boolean {
  return reason.startsWith('Aborted by a person');
}
export function PhaseStatus({
  phase,
  reason = '',
}: {
  readonly phase: RolloutPhase;
  readonly reason?: string;
}): ReactNode {
  const tone = PHASE_TONES[phase] === 'bad' && isDeliberate(reason) ? 'idle' : PHASE_TONES[phase];
  return (
    <Status tone={tone} live={isRunning(phase)}>
      {phase.replace('-', ' ')}
    </Status>
  );
}

const VERDICT_TONES: Readonly<Record<Verdict['verdict'], Tone>> = {
  promote: 'ok',
  hold: 'idle',
  'roll-back': 'bad',
  inconclusive: 'warn',
};
export function VerdictStatus({ verdict }: { readonly verdict: Verdict['verdict'] }): ReactNode {
  return <Status tone={VERDICT_TONES[verdict]}>{verdict.replace('-', ' ')}</Status>;
}

const SEVERITY_TONES: Readonly<Record<Severity | 'none', Tone>> = {
  none: 'ok',
  info: 'idle',
  low: 'idle',
  medium: 'warn',
  high: 'bad',
  critical: 'bad',
};
export function SeverityStatus({ severity }: { readonly severity: Severity | 'none' }): ReactNode {
  return <Status tone={SEVERITY_TONES[severity]}>{severity === 'none' ? 'clean' : severity}</Status>;
}

export function EndpointHealth({ status }: { readonly status: EndpointStatus | null }): ReactNode {
  if (status === null) return <Status tone="idle">not checked</Status>;
  if (!status.reachable) return <Status tone="bad">unreachable</Status>;
  return status.problem === null ? <Status tone="ok">healthy</Status> : <Status tone="warn">problem</Status>;
}

const GATE_VERDICTS = {
  pass: ['ok', 'passed'],
  fail: ['bad', 'failed'],
  inconclusive: ['warn', 'inconclusive'],
} as const satisfies Record<string, readonly [Tone, string]>;

/** What gates say: inconclusive is its own answer, neither pass nor fail. */
export function GateVerdict({ verdict }: { readonly verdict: keyof typeof GATE_VERDICTS }): ReactNode {
  const [tone, word] = GATE_VERDICTS[verdict];
  return <Status tone={tone}>{word}</Status>;
}

/** A moving name of a version, or a tag: quieter than a status. */
export function Tag({ children }: { readonly children: string }): ReactNode {
  const champion = children === 'champion';
  return (
    <span className={`${styles.tag} ${champion ? styles.champion : ''}`} title={children}>
      {champion ? <IconCrown size={11} stroke={2} aria-hidden /> : null}
      {children}
    </span>
  );
}

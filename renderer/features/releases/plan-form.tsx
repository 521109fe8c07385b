import { Group, NumberInput, SegmentedControl, Select, Stack, Switch, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import {
  DEFAULT_GUARDS,
  DEFAULT_LEASE,
  type Guards,
  type Lease,
  planProblems,
} from '../../../shared/domain/rollout/plan.ts';
import { Callout } from '../../ui/page.tsx';
import { parseSteps } from './request-words.ts';

export interface PlanDraft {
  readonly strategy: 'direct' | 'canary';
  readonly stepsText: string;
  /** Seconds, as people think of them; milliseconds on the wire. */
  readonly bakeSeconds: number;
  readonly maxStepSeconds: number;
  readonly mirrorPercent: number;
  readonly leaseSeconds: number;
  readonly afterLease: Lease['after'];
  readonly guards: Guards;
}

export const STARTING_PLAN: PlanDraft = {
  strategy: 'canary',
  stepsText: '10, 50, 100',
  bakeSeconds: 30,
  maxStepSeconds: 600,
  mirrorPercent: 100,
  leaseSeconds: DEFAULT_LEASE.ms / 1000,
  afterLease: DEFAULT_LEASE.after,
  guards: DEFAULT_GUARDS,
};

/** The draft as the contract's plan. */
export function planInput(plan: PlanDraft) {
  const bakeMs = Math.round(plan.bakeSeconds * 1000);
  return {
    strategy: plan.strategy,
    steps: plan.strategy === 'direct' ? [100] : parseSteps(plan.stepsText),
    bakeMs,
    maxStepMs: Math.max(1000, Math.round(plan.maxStepSeconds * 1000)),
    mirrorSample: plan.strategy === 'direct' ? 0 : plan.mirrorPercent / 100,
    guards: plan.guards,
    lease: { ms: Math.max(1000, Math.round(plan.leaseSeconds * 1000)), after: plan.afterLease },
  };
}

/** Why the plan cannot be submitted, in the domain's words; null when it can. */
export function planProblem(plan: PlanDraft): string | null {
  return planProblems(planInput(plan))[0] ?? null;
}

interface GuardRowProps {
  readonly label: string;
  readonly on: boolean;
  readonly onToggle: (on: boolean) => void;
  readonly children: ReactNode;
}

function GuardRow({ label, on, onToggle, children }: GuardRowProps): ReactNode {
  return (
    <div
      style={{
        display: 'grid',
        gridTemplateColumns: '150px minmax(0, 1fr)',
        gap: 12,
        alignItems: 'center',
        minHeight: 34,
      }}
    >
      <Switch
        size="xs"
        label={label}
        checked={on}
        onChange={(event) => onToggle(event.currentTarget.checked)}
      />
      {on ? (
        <Group gap={8}>{children}</Group>
      ) : (
        <span className="dim">does not run; the dossier says so</span>
      )}
    </div>
  );
}

/** How the release goes out: strategy, steps, time per step, guards. All of it is signed. */
export function PlanForm({
  value,
  onChange,
}: {
  readonly value: PlanDraft;
  readonly onChange: (plan: PlanDraft) => void;
}): ReactNode {
  const set = (part: Partial<PlanDraft>): void => onChange({ ...value, ...part });
  const guards = value.guards;
  const guard = (part: Partial<Guards>): void => set({ guards: { ...guards, ...part } });
  const canary = value.strategy === 'canary';
  const stepsProblem = planProblem(value);
  return (
    <Stack gap="sm">
      <SegmentedControl
        aria-label="Strategy"
        w={260}
        data={[
          { value: 'canary', label: 'Canary' },
          { value: 'direct', label: 'Direct' },
        ]}
        value={value.strategy}
        onChange={(strategy) => set({ strategy: strategy === 'direct' ? 'direct' : 'canary' })}
      />
      {canary ? null : (
        <Callout tone="warn">
          All traffic moves at once. There is no stable version beside it to disagree with; errors and latency
          are still guarded.
        </Callout>
      )}
      <div
        style={{
          display: 'grid',
          gridTemplateColumns: 'repeat(auto-fit, minmax(130px, 1fr))',
          gap: 12,
          alignItems: 'start',
        }}
      >
        {canary ? (
          <TextInput
            label="Steps"
            description="percent of traffic"
            value={value.stepsText}
            onChange={(event) => set({ stepsText: event.currentTarget.value })}
            error={stepsProblem}
          />
        ) : null}
        <NumberInput
          label="Bake"
          description="least time a step"
          value={value.bakeSeconds}
          min={0}
          suffix=" s"
          onChange={(next) => set({ bakeSeconds: Number(next) })}
        />
        <NumberInput
          label="Step timeout"
          description="then it pauses"
          value={value.maxStepSeconds}
          min={1}
          suffix=" s"
          onChange={(next) => set({ maxStepSeconds: Number(next) })}
        />
        {canary ? (
          <NumberInput
            label="Mirror"
            description="canary traffic"
            value={value.mirrorPercent}
            min={0}
            max={100}
            suffix=" %"
            onChange={(next) => set({ mirrorPercent: Number(next) })}
          />
        ) : null}
        {canary ? (
          <>
            <NumberInput
              label="Lease"
              description="without the console"
              value={value.leaseSeconds}
              min={1}
              suffix=" s"
              onChange={(next) => set({ leaseSeconds: Number(next) })}
            />
            <Select
              label="After it"
              description="the agent alone"
              data={[
                { value: 'roll-back', label: 'rolls back' },
                { value: 'hold', label: 'holds' },
              ]}
              value={value.afterLease}
              allowDeselect={false}
              onChange={(after) => set({ afterLease: after === 'hold' ? 'hold' : 'roll-back' })}
            />
          </>
        ) : null}
      </div>
      <div>
        <div style={{ fontWeight: 500, fontSize: '0.78125rem', marginBottom: 4 }}>
          Guards: what rolls it back by itself
        </div>
        <GuardRow
          label="Error rate"
          on={guards.maxErrorRate !== null}
          onToggle={(on) => guard({ maxErrorRate: on ? DEFAULT_GUARDS.maxErrorRate : null })}
        >
          <span className="dim">at most</span>
          <NumberInput
            aria-label="Highest error rate in percent"
            w={86}
            value={(guards.maxErrorRate ?? 0) * 100}
            min={0}
            max={100}
            step={0.5}
            suffix=" %"
            onChange={(next) => guard({ maxErrorRate: Number(next) / 100 })}
          />
          <span className="dim">from</span>
          <NumberInput
            aria-label="Least requests for a verdict"
            w={86}
            value={guards.minimumRequests}
            min={1}
            allowDecimal={false}
            onChange={(next) => guard({ minimumRequests: Math.max(1, Number(next)) })}
          />
          <span className="dim">requests on</span>
        </GuardRow>
        <GuardRow
          label="Latency p95"
          on={guards.maxP95Ratio !== null}
          onToggle={(on) => guard({ maxP95Ratio: on ? DEFAULT_GUARDS.maxP95Ratio : null })}
        >
          <span className="dim">at most</span>
          <NumberInput
            aria-label="Highest p95 as a multiple of stable"
            w={86}
            value={guards.maxP95Ratio ?? 2}
            min={1}
            step={0.1}
            suffix="×"
            onChange={(next) => guard({ maxP95Ratio: Math.max(1, Number(next)) })}
          />
          <span className="dim">stable, above</span>
          <NumberInput
            aria-label="p95 below this is never a breach"
            w={86}
            value={guards.p95FloorMs}
            min={0}
            suffix=" ms"
            onChange={(next) => guard({ p95FloorMs: Number(next) })}
          />
        </GuardRow>
        <GuardRow
          label="Disagreement"
          on={guards.maxDisagreement !== null}
          onToggle={(on) => guard({ maxDisagreement: on ? DEFAULT_GUARDS.maxDisagreement : null })}
        >
          <span className="dim">at most</span>
          <NumberInput
            aria-label="Highest disagreement in percent"
            w={86}
            value={(guards.maxDisagreement ?? 0) * 100}
            min={0}
            max={100}
            step={0.5}
            suffix=" %"
            onChange={(next) => guard({ maxDisagreement: Number(next) / 100 })}
          />
          <span className="dim">from</span>
          <NumberInput
            aria-label="Least pairs for a verdict"
            w={86}
            value={guards.minimumPairs}
            min={1}
            allowDecimal={false}
            onChange={(next) => guard({ minimumPairs: Math.max(1, Number(next)) })}
          />
          <span className="dim">pairs on</span>
        </GuardRow>
      </div>
    </Stack>
  );
}

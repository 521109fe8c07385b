import { IconChartLine } from '@tabler/icons-react';
import { type ReactNode, useMemo } from 'react';
import type { TrafficPoint } from '../../../shared/domain/rollout/state.ts';
import type { RolloutView } from '../../../shared/domain/view/views.ts';
import { LineChart, type Series } from '../../charts/index.tsx';
import { formatClock, formatMs, formatShare } from '../../ui/format.ts';
import { Empty, Panel } from '../../ui/page.tsx';
import { isFinal } from '../../ui/status.tsx';
import { latencyGuard, latencyLimit, overStep, stepMarks } from './traffic-series.ts';

/** Time shown to either side of the first reading, in milliseconds. */
const ALONE_MS = 10_000;
const HEIGHT = 200;
const formatTime = (at: number): string => formatClock(new Date(at).toISOString());
const formatRate = (value: number): string => (value >= 10 ? value.toFixed(0) : value.toFixed(1));
const tickPercent = (value: number): string => `${Number((value * 100).toFixed(2))} %`;
const tickMs = (value: number): string => `${Number(value.toFixed(2))} ms`;
const tickRate = (value: number): string => String(Number(value.toFixed(1)));

function line(
  points: readonly TrafficPoint[],
  label: string,
  role: Series['role'],
  value: (point: TrafficPoint) => number | null,
): Series {
  return { label, role, points: points.map((point) => ({ x: Date.parse(point.at), y: value(point) })) };
}

/** A share as the guard judges it: over the step so far. */
function shareLine(
  points: readonly TrafficPoint[],
  label: string,
  role: Series['role'],
  share: (point: TrafficPoint) => number | null,
  weight: (point: TrafficPoint) => number,
): Series {
  const values = overStep(points, share, weight);
  return {
    label,
    role,
    points: points.map((point, index) => ({ x: Date.parse(point.at), y: values[index] ?? null })),
  };
}

/** The four figures a guard or a person judges by, live. Dashed red is the guard's limit. */
export function LiveCharts({ view }: { readonly view: RolloutView }): ReactNode {
  const { points, state } = view;
  const { guards } = state.plan;
  const marks = useMemo(() => stepMarks(points), [points]);
  const last = points.at(-1);
  const guard = useMemo(() => latencyGuard(points, guards), [points, guards]);
  const latency = useMemo<Series[]>(
    () => [
      line(points, `canary ${state.version}`, 'first', (point) => point.canaryP95Ms),
      line(points, 'stable', 'second', (point) => point.stableP95Ms),
      ...(guard === null || !guard.inSight
        ? []
        : [line(points, 'guard', 'limit', (point) => latencyLimit(point, guards))]),
    ],
    [points, state.version, guards, guard],
  );
  const errors = useMemo<Series[]>(
    () => [
      shareLine(
        points,
        `canary ${state.version}`,
        'first',
        (point) => point.canaryErrorRate,
        (point) => point.canaryRps,
      ),
      shareLine(
        points,
        'stable',
        'second',
        (point) => point.stableErrorRate,
        (point) => point.stableRps,
      ),
    ],
    [points, state.version],
  );
  const disagreement = useMemo<Series[]>(
    () => [
      {
        ...shareLine(
          points,
          'disagreement',
          'first',
          (point) => point.disagreement,
          (point) => point.pairs,
        ),
        fill: true,
      },
    ],
    [points],
  );
  const requests = useMemo<Series[]>(
    () => [
      line(points, `canary ${state.version}`, 'first', (point) => point.canaryRps),
      line(points, 'stable', 'second', (point) => point.stableRps),
    ],
    [points, state.version],
  );

  const judged = disagreement[0]?.points.at(-1)?.y ?? null;
  const failing = errors[0]?.points.at(-1)?.y ?? null;
  if (points.length === 0) {
    return (
      <Panel>
        <Empty
          icon={IconChartLine}
          title={isFinal(state.phase) ? 'No traffic was measured' : 'Waiting for traffic'}
        >
          {isFinal(state.phase)
            ? 'The rollout ended before the first reading.'
            : 'The first reading appears as soon as an endpoint answers requests with the new version.'}
        </Empty>
      </Panel>
    );
  }
  // One reading has no extent; without one an axis of many hours would be drawn around it.
  const first = Date.parse(points[0]?.at ?? '');
  const alone = points.length > 1 ? {} : { xRange: [first - ALONE_MS, first + ALONE_MS] as const };
  const shared = { height: HEIGHT, formatX: formatTime, marks, legend: true, ...alone } as const;
  return (
    <div style={{ display: 'grid', gridTemplateColumns: 'repeat(2, minmax(0, 1fr))', gap: 14 }}>
      <Panel
        title="Disagreement with stable"
        note={last === undefined ? '' : `${formatShare(judged)} over this step`}
      >
        <LineChart
          {...shared}
          legend={false}
          label={`Share of mirrored requests answered differently, ${formatShare(judged)} over this step`}
          series={disagreement}
          formatY={formatShare}
          tickY={tickPercent}
          {...(guards.maxDisagreement === null
            ? {}
            : {
                limit: {
                  value: guards.maxDisagreement,
                  label: `guard ${formatShare(guards.maxDisagreement, 1)}`,
                },
              })}
        />
      </Panel>
      <Panel
        title="Latency p95"
        note={
          last === undefined
            ? ''
            : `now ${formatMs(last.canaryP95Ms)}, stable ${formatMs(last.stableP95Ms)}${guard === null || guard.inSight ? '' : `; guard from ${formatMs(guard.limit)}`}`
        }
      >
        <LineChart
          {...shared}
          label={`95th percentile of latency, canary ${formatMs(last?.canaryP95Ms ?? null)}, stable ${formatMs(last?.stableP95Ms ?? null)}`}
          series={latency}
          formatY={formatMs}
          tickY={tickMs}
        />
      </Panel>
      <Panel title="Error rate" note={last === undefined ? '' : `${formatShare(failing)} over this step`}>
        <LineChart
          {...shared}
          label={`Share of failed requests, canary ${formatShare(last?.canaryErrorRate ?? null)}`}
          series={errors}
          formatY={formatShare}
          tickY={tickPercent}
          {...(guards.maxErrorRate === null
            ? {}
            : {
                limit: { value: guards.maxErrorRate, label: `guard ${formatShare(guards.maxErrorRate, 1)}` },
              })}
        />
      </Panel>
      <Panel
        title="Requests per second"
        note={
          last === undefined
            ? ''
            : `now ${formatRate(last.canaryRps)} canary, ${formatRate(last.stableRps)} stable`
        }
      >
        <LineChart
          {...shared}
          label={`Requests per second, canary ${formatRate(last?.canaryRps ?? 0)}, stable ${formatRate(last?.stableRps ?? 0)}`}
          series={requests}
          formatY={formatRate}
          tickY={tickRate}
        />
      </Panel>
    </div>
  );
}

import { IconChartLine } from '@tabler/icons-react';
import { type ReactNode, useMemo } from 'react';
import type { TrafficPoint } from '../../../shared/domain/rollout/state.ts';
import type { RolloutView } from '../../../shared/domain/view/views.ts';
import { LineChart, type Series } from '../../charts/index.tsx';
import { formatClock, formatMs, formatShare } from '../../ui/format.ts';
import { Empty, Panel } from '../../ui/page.tsx';
import { isFinal } from '../../ui/status.tsx';
import { latencyLimit, stepMarks } from './traffic-series.ts';

const HEIGHT = 200;
const formatTime = (at: number): string => formatClock(new Date(at).toISOString());
const formatRate = (value: number): string => (value >= 10 ? value.toFixed(0) : value.toFixed(1));
const formatPercent = (value: number): string => formatShare(value, value !== 0 && Math.abs(value) < 0.1 ? 2 : 0);

function line(points: readonly TrafficPoint[], label: string, role: Series['role'], value: (point: TrafficPoint) => number | null): Series {
  return { label, role, points: points.map((point) => ({ x: Date.parse(point.at), y: value(point) })) };
}

/** The four figures a guard or a person judges by, live. Dashed red is the guard's limit. */
export function LiveCharts({ view }: { readonly view: RolloutView }): ReactNode {
  const { points, state } = view;
  const { guards } = state.plan;
  const marks = useMemo(() => stepMarks(points), [points]);
  const last = points.at(-1);
  const latency = useMemo<Series[]>(
    () => [
      line(points, `canary ${state.version}`, 'first', (point) => point.canaryP95Ms),
      line(points, 'stable', 'second', (point) => point.stableP95Ms),
      ...(guards.maxP95Ratio === null ? [] : [line(points, 'guard', 'limit', (point) => latencyLimit(point, guards))]),
    ],
    [points, state.version, guards],
  );
  const errors = useMemo<Series[]>(() => [line(points, `canary ${state.version}`, 'first', (point) => point.canaryErrorRate), line(points, 'stable', 'second', (point) => point.stableErrorRate)], [points, state.version]);
  const disagreement = useMemo<Series[]>(() => [{ ...line(points, 'disagreement', 'first', (point) => point.disagreement), fill: true }], [points]);
  const requests = useMemo<Series[]>(() => [line(points, `canary ${state.version}`, 'first', (point) => point.canaryRps), line(points, 'stable', 'second', (point) => point.stableRps)], [points, state.version]);

  if (points.length === 0) {
    return (
      <Panel>
        <Empty icon={IconChartLine} title={isFinal(state.phase) ? 'No traffic was measured' : 'Waiting for traffic'}>
          {isFinal(state.phase) ? 'The rollout ended before the first reading.' : 'The first reading appears as soon as an endpoint answers requests with the new version.'}
        </Empty>
      </Panel>
    );
  }
  const shared = { height: HEIGHT, formatX: formatTime, marks, legend: true } as const;
  return (
    <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(430px, 1fr))', gap: 14 }}>
      <Panel title="Disagreement with stable" note={last === undefined ? '' : `now ${formatShare(last.disagreement)} of ${last.pairs} pairs`}>
        <LineChart
          {...shared} legend={false} label={`Share of mirrored requests answered differently, now ${formatShare(last?.disagreement ?? null)}`} series={disagreement} formatY={formatPercent}
          {...(guards.maxDisagreement === null ? {} : { limit: { value: guards.maxDisagreement, label: `guard ${formatShare(guards.maxDisagreement, 1)}` } })}
        />
      </Panel>
      <Panel title="Latency p95" note={last === undefined ? '' : `now ${formatMs(last.canaryP95Ms)}, stable ${formatMs(last.stableP95Ms)}`}>
        <LineChart {...shared} label={`95th percentile of latency, canary ${formatMs(last?.canaryP95Ms ?? null)}, stable ${formatMs(last?.stableP95Ms ?? null)}`} series={latency} formatY={formatMs} />
      </Panel>
      <Panel title="Error rate" note={last === undefined ? '' : `now ${formatShare(last.canaryErrorRate)}, stable ${formatShare(last.stableErrorRate)}`}>
        <LineChart
          {...shared} label={`Share of failed requests, canary ${formatShare(last?.canaryErrorRate ?? null)}`} series={errors} formatY={formatPercent}
          {...(guards.maxErrorRate === null ? {} : { limit: { value: guards.maxErrorRate, label: `guard ${formatShare(guards.maxErrorRate, 1)}` } })}
        />
      </Panel>
      <Panel title="Requests per second" note={last === undefined ? '' : `now ${formatRate(last.canaryRps)} canary, ${formatRate(last.stableRps)} stable`}>
        <LineChart {...shared} label={`Requests per second, canary ${formatRate(last?.canaryRps ?? 0)}, stable ${formatRate(last?.stableRps ?? 0)}`} series={requests} formatY={formatRate} />
      </Panel>
    </div>
  );
}

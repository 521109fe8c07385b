import { IconScale } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Measurement } from '../../../shared/domain/rollout/measurement.ts';
import type { Verdict } from '../../../shared/domain/rollout/state.ts';
import { formatClock, formatCount, formatInstant, formatMs, formatShare, plural } from '../../ui/format.ts';
import { Empty } from '../../ui/page.tsx';
import { VerdictStatus } from '../../ui/status.tsx';
import { foldHolds } from './fold-holds.ts';
import styles from './verdict-timeline.module.css';

const GUARD_NAMES: Readonly<Record<Measurement['guard'], string>> = {
  'error-rate': 'errors',
  p95: 'p95',
  disagreement: 'disagreement',
};

function formatMeasured(guard: Measurement['guard'], value: number | null): string {
  return guard === 'p95' ? formatMs(value) : formatShare(value);
}

function MeasurementChip({ measurement }: { readonly measurement: Measurement }): ReactNode {
  const { guard, measured, limit, samples, minimumSamples, outcome, note } = measurement;
  return (
    <span
      className={`${styles.measurement} num`}
      data-outcome={outcome}
      title={note === '' ? undefined : note}
    >
      <strong>{GUARD_NAMES[guard]}</strong>
      {outcome === 'insufficient'
        ? `${formatCount(samples)} of ${formatCount(minimumSamples)} samples`
        : `${formatMeasured(guard, measured)} ${outcome === 'breach' ? '>' : '≤'} ${formatMeasured(guard, limit)} (${formatCount(samples)})`}
      {note === '' ? null : <span>{note}</span>}
    </span>
  );
}

/** Every verdict with its measurements. Holds in a row are folded into the newest: they only say "not yet". */
export function VerdictTimeline({
  verdicts,
  steps,
}: {
  readonly verdicts: readonly Verdict[];
  readonly steps: readonly number[];
}): ReactNode {
  const shown = foldHolds(verdicts);
  if (shown.length === 0) {
    return (
      <Empty icon={IconScale} title="No verdict yet">
        A step is judged once it has baked and has enough samples.
      </Empty>
    );
  }
  return (
    <ol className={styles.list}>
      {shown.map(({ verdict, folded }) => (
        <li key={`${verdict.at}-${verdict.step}-${verdict.verdict}`} className={styles.item}>
          <time className={`${styles.time} num`} dateTime={verdict.at} title={formatInstant(verdict.at)}>
            {formatClock(verdict.at)}
          </time>
          <span className={styles.badge}>
            <VerdictStatus verdict={verdict.verdict} />
          </span>
          <div style={{ minWidth: 0 }}>
            <div>
              <span className="dim num">{`at ${steps[verdict.step] ?? 0} %: `}</span>
              {verdict.reason}
              {folded > 0 ? <span className="dim">{` (and ${plural(folded, 'time')} before)`}</span> : null}
            </div>
            <div className={styles.measurements}>
              {verdict.measurements.map((measurement) => (
                <MeasurementChip key={measurement.guard} measurement={measurement} />
              ))}
            </div>
          </div>
        </li>
      ))}
    </ol>
  );
}

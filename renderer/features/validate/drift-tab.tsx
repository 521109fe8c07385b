import { Stack } from '@mantine/core';
import { IconWaveSine } from '@tabler/icons-react';
import { type ReactNode, useMemo } from 'react';
import { PSI_DRIFT, PSI_WATCH } from '../../../shared/domain/drift/drift.ts';
import type { DriftReport, FeatureDrift } from '../../../shared/domain/evidence/drift.ts';
import { ChartPanel, HorizontalBars } from '../../charts/index.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { formatCount, formatMetric, formatShare, plural } from '../../ui/format.ts';
import { Empty, Stat, Stats } from '../../ui/page.tsx';
import { chanceText } from '../../ui/significance.ts';
import { Status, type Tone } from '../../ui/status.tsx';
import { Digest, Truncated, VersionLink } from '../../ui/text.tsx';

const TONES: Readonly<Record<FeatureDrift['verdict'], Tone>> = {
  stable: 'ok',
  watch: 'warn',
  drift: 'bad',
  'too-few': 'idle',
};
const WORDS: Readonly<Record<FeatureDrift['verdict'], string>> = {
  stable: 'stable',
  watch: 'watch',
  drift: 'drift',
  'too-few': 'too few',
};
const ORDER = ['drift', 'watch', 'stable', 'too-few'] as const;
/** Bars of the chart. */
const DRAWN = 12;

function DriftStatus({ verdict }: { readonly verdict: FeatureDrift['verdict'] }): ReactNode {
  return <Status tone={TONES[verdict]}>{WORDS[verdict]}</Status>;
}

const three = (value: number | null): string => (value === null ? '–' : value.toFixed(3));
const number = (
  id: string,
  header: string,
  of: (feature: FeatureDrift) => number | null,
  write: (value: number | null) => string = three,
): Column<FeatureDrift> => ({
  id,
  header,
  width: '84px',
  align: 'right',
  sortBy: of,
  cell: (feature) => write(of(feature)),
});

const COLUMNS: readonly Column<FeatureDrift>[] = [
  {
    id: 'feature',
    header: 'Feature',
    width: 'minmax(160px, 2fr)',
    sortBy: (feature) => feature.feature,
    cell: (feature) => <Truncated mono>{feature.feature}</Truncated>,
  },
  {
    id: 'verdict',
    header: 'Verdict',
    width: '84px',
    sortBy: (feature) => ORDER.indexOf(feature.verdict),
    cell: (feature) => <DriftStatus verdict={feature.verdict} />,
  },
  {
    id: 'kind',
    header: 'Kind',
    width: '84px',
    sortBy: (feature) => feature.kind,
    cell: (feature) => <span className="dim">{feature.kind}</span>,
  },
  number('psi', 'PSI', (feature) => feature.psi),
  number('limit', 'By chance', (feature) => feature.psiThreshold),
  number('js', 'JS', (feature) => feature.jensenShannon),
  number('ks', 'KS', (feature) => feature.ks),
  number('w', 'Wasserstein', (feature) => feature.wasserstein),
  number(
    'p',
    'Corrected p',
    (feature) => feature.adjustedP,
    (value) => (value === null ? '–' : chanceText(value).replace('p = ', '').replace('p ', '')),
  ),
];

/** What moved most comes first; what cannot be judged comes last. */
export function mostMoved(features: readonly FeatureDrift[]): readonly FeatureDrift[] {
  return [...features].sort(
    (a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict) || (b.psi ?? -1) - (a.psi ?? -1),
  );
}

/** How far the data has moved from a version's reference profile. */
export function DriftTab({ drift }: { readonly drift: DriftReport | null }): ReactNode {
  const features = useMemo(() => mostMoved(drift?.features ?? []), [drift]);
  const bars = useMemo(
    () =>
      features
        .filter((feature) => feature.psi !== null)
        .slice(0, DRAWN)
        .map((feature) => ({
          name: feature.feature.length > 28 ? `${feature.feature.slice(0, 27)}…` : feature.feature,
          value: feature.psi ?? 0,
        })),
    [features],
  );
  if (drift === null) {
    return (
      <Empty icon={IconWaveSine} title="Drift was not measured">
        Switch it on when you run the validation: the data is then held against the profile of the data
        another run was made on.
      </Empty>
    );
  }
  const { reference, score, driftedShare, estimatedAccuracy } = drift;
  const counts = ORDER.map((verdict) => ({
    verdict,
    count: features.filter((feature) => feature.verdict === verdict).length,
  }));
  return (
    <Stack gap={14}>
      <Stats>
        <Stat
          label="Drifted features"
          value={formatShare(driftedShare, 1)}
          note={`${plural(counts[0]?.count ?? 0, 'feature')} of ${formatCount(features.length)}`}
        />
        <Stat
          label="Score"
          value={score === null ? '–' : WORDS[score.verdict]}
          note={
            score === null
              ? 'no score output'
              : `PSI ${three(score.psi)}, by chance ${three(score.psiThreshold)}`
          }
        />
        <Stat
          label="Accuracy, estimated"
          title="Estimated without labels from calibrated confidence: an estimate, not a measurement"
          value={estimatedAccuracy === null ? '–' : `≈ ${formatMetric(estimatedAccuracy.value)}`}
          note={
            estimatedAccuracy === null
              ? 'not estimated'
              : `${formatMetric(estimatedAccuracy.low)} to ${formatMetric(estimatedAccuracy.high)}, without labels`
          }
        />
        <Stat
          label="Rows"
          value={formatCount(drift.rows)}
          note={`reference ${formatCount(reference.rows)}`}
        />
      </Stats>
      <div className="dim" style={{ display: 'flex', gap: 14, flexWrap: 'wrap', alignItems: 'center' }}>
        <span>
          held against the profile of <VersionLink of={reference.ref} />
        </span>
        <span>
          made on <Digest value={reference.datasetDigest} what="digest of the reference data" />
        </span>
        <span>
          {`A feature drifts from a PSI of ${PSI_DRIFT} on and is watched from ${PSI_WATCH} on, where that is more than chance alone does at these sample sizes.`}
        </span>
      </div>
      {bars.length === 0 ? null : (
        <ChartPanel
          title="Largest shifts"
          note="population stability index (PSI); 0 = the same"
          height={24 * bars.length + 30}
          table={{
            columns: ['Feature', '>PSI', '>By chance', 'Verdict'],
            rows: features
              .slice(0, DRAWN)
              .map((feature) => [
                feature.feature,
                three(feature.psi),
                three(feature.psiThreshold),
                WORDS[feature.verdict],
              ]),
          }}
        >
          <HorizontalBars
            label={`Features that moved most, by PSI; first ${bars[0]?.name ?? ''} with ${three(bars[0]?.value ?? null)}`}
            items={bars}
            format={(value) => value.toFixed(2)}
            height={24 * bars.length + 30}
          />
        </ChartPanel>
      )}
      <DataTable
        label="Drift by feature"
        columns={COLUMNS}
        rows={features}
        rowKey={(feature) => feature.feature}
        height={Math.min(560, 72 + features.length * 36)}
        empty={null}
      />
    </Stack>
  );
}

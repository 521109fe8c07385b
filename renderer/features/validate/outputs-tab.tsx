import { Stack } from '@mantine/core';
import { IconShieldCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { ValidationReport } from '../../../shared/domain/metrics/report.ts';
import { formatCount, formatShare } from '../../ui/format.ts';
import { Empty, Panel, SimpleTable } from '../../ui/page.tsx';
import { ChartGrid, OutputPanels } from '../../ui/report-charts.tsx';
import { OutputFindings } from '../evidence/output-findings.tsx';
import { rowsPath } from '../evidence/rows-choice.ts';

/** The answers themselves: what contradicts itself, how scores and latency are spread. */
export function OutputsTab({ report }: { readonly report: ValidationReport }): ReactNode {
  const { outputFindings, scoreQuantiles } = report;
  return (
    <Stack gap={14}>
      <Panel title="Findings in the answers" flush>
        {outputFindings.length === 0 ? (
          <Empty icon={IconShieldCheck} title="No findings">
            Every answer is a finite number, and labels agree with their own scores.
          </Empty>
        ) : (
          <OutputFindings
            findings={outputFindings}
            rowsTo={
              report.rowsArtifact === null
                ? null
                : rowsPath({ kind: 'validation', id: report.id }, { preset: 'output-findings' })
            }
          />
        )}
      </Panel>
      <ChartGrid>
        <OutputPanels report={report} />
        {scoreQuantiles.length === 0 ? null : (
          <Panel title="Quantiles of the score" note={`n = ${formatCount(report.metrics.rows)}`} flush>
            <SimpleTable
              label="Quantiles of the score"
              columns={['Quantile', '>Score']}
              rows={scoreQuantiles.map(({ q, value }) => ({
                key: String(q),
                cells: [formatShare(q, q < 0.01 || q > 0.99 ? 1 : 0), value.toPrecision(5)],
              }))}
            />
          </Panel>
        )}
      </ChartGrid>
    </Stack>
  );
}

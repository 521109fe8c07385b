import { Tooltip } from '@mantine/core';
import { IconShieldCheck } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import type { Confusion, GateResult } from '../../shared/domain/metrics/report.ts';
import { verdictOf } from '../../shared/domain/policy/evaluate.ts';
import type { Finding } from '../../shared/domain/scan/finding.ts';
import styles from './evidence.module.css';
import { formatCount, formatShare, plural } from './format.ts';
import { formatMetricValue, metricLabel } from './metrics.ts';
import { Empty, SimpleTable } from './page.tsx';
import { GateVerdict, SeverityStatus } from './status.tsx';
import { Truncated } from './text.tsx';

const BOUND_SIGNS = { min: '≥', max: '≤', maxRegression: 'regression ≤' } as const;

interface GatesTableProps {
  readonly gates: readonly GateResult[];
  /** Where the rows behind a gate are looked at, and what they are called; null where there are none. */
  readonly rowsOf?: (gate: GateResult) => { readonly to: string; readonly text: string } | null;
}

/** Gates with what was measured and what was allowed. A gate without a measurement is no pass, and says why. */
export function GatesTable({ gates, rowsOf }: GatesTableProps): ReactNode {
  if (gates.length === 0) {
    return (
      <div style={{ padding: 14 }} className="dim">
        No gates applied: this run was not held against an environment's policy.
      </div>
    );
  }
  // A gate that passed has its reason in the badge's tooltip; one that did not says it in full.
  const reasonOf = (gate: GateResult): string => (verdictOf(gate) === 'pass' ? '' : gate.reason);
  const reasons = gates.some((gate) => reasonOf(gate) !== '');
  const counted = gates.some((gate) => typeof gate.rows === 'number');
  const links = gates.map((gate) => rowsOf?.(gate) ?? null);
  const linked = links.some((link) => link !== null);
  return (
    <SimpleTable
      label="Gates"
      columns={[
        'Gate',
        '>Measured',
        '>Limit',
        '>Champion',
        ...(counted ? ['>n'] : []),
        'Result',
        ...(reasons ? ['Reason'] : []),
        ...(linked ? ['Behind it'] : []),
      ]}
      rows={gates.map((gate, index) => ({
        key: `${gate.gate}-${gate.bound}-${index}`,
        cells: [
          <span key="gate" style={{ fontWeight: 500, whiteSpace: 'nowrap' }} title={gate.gate}>
            {metricLabel(gate.metric)}
            {gate.slice === undefined || gate.slice === null ? null : (
              <Truncated max={220}>{`in ${gate.slice.column} = ${gate.slice.value}`}</Truncated>
            )}
          </span>,
          <span key="measured" style={{ fontWeight: 600 }}>
            {formatMetricValue(gate.metric, gate.measured)}
          </span>,
          <span
            key="limit"
            className="dim"
            style={{ whiteSpace: 'nowrap' }}
          >{`${BOUND_SIGNS[gate.bound]} ${formatMetricValue(gate.metric, gate.limit)}`}</span>,
          <span key="baseline" className="dim">
            {formatMetricValue(gate.metric, gate.baseline)}
          </span>,
          ...(counted
            ? [
                <span key="n" className="dim">
                  {typeof gate.rows === 'number' ? formatCount(gate.rows) : '–'}
                </span>,
              ]
            : []),
          <span key="result" title={gate.reason}>
            <GateVerdict verdict={verdictOf(gate)} />
          </span>,
          ...(reasons
            ? [
                <span key="reason" style={{ display: 'block', maxWidth: 420, minWidth: 160 }}>
                  {reasonOf(gate)}
                </span>,
              ]
            : []),
          ...(linked ? [<RowsLink key="rows" link={links[index] ?? null} />] : []),
        ],
      }))}
    />
  );
}

function RowsLink({
  link,
}: {
  readonly link: { readonly to: string; readonly text: string } | null;
}): ReactNode {
  if (link === null) return null;
  return (
    <Link to={link.to} style={{ color: 'var(--sp-accent-text)', whiteSpace: 'nowrap' }}>
      {link.text}
    </Link>
  );
}

/** Rules that ran, without the entry that names the rule set's version (`rules@1`). */
export function ruleCount(rulesRun: readonly string[]): number {
  return rulesRun.filter((rule) => !rule.startsWith('rules@')).length;
}

const SEVERITY_ORDER = ['critical', 'high', 'medium', 'low', 'info'] as const;

/** Findings, the worst first; with none, which rules ran and found nothing. */
export function FindingsList({
  findings,
  rulesRun,
}: {
  readonly findings: readonly Finding[];
  readonly rulesRun: readonly string[];
}): ReactNode {
  if (findings.length === 0) {
    return (
      <Empty icon={IconShieldCheck} title="No findings">
        {rulesRun.length === 0
          ? 'No scan rule ran, so nothing is known. This is not a pass.'
          : `${plural(ruleCount(rulesRun), 'rule')} ran over every node, initializer and metadata entry.`}
      </Empty>
    );
  }
  const ordered = [...findings].sort(
    (a, b) => SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity),
  );
  return (
    <ul className={styles.findings}>
      {ordered.map((finding) => (
        <li key={`${finding.ruleId}-${finding.where}`} className={styles.finding}>
          <SeverityStatus severity={finding.severity} />
          <div style={{ minWidth: 0 }}>
            <div style={{ fontWeight: 600 }}>{finding.title}</div>
            <div style={{ overflowWrap: 'anywhere' }}>{finding.detail}</div>
            <div className={styles.findingMeta}>
              <span className="mono">{finding.where}</span>
              <span className="mono">{finding.ruleId}</span>
              {finding.reference === '' ? null : <span className="mono">{finding.reference}</span>}
            </div>
          </div>
        </li>
      ))}
    </ul>
  );
}

/** Scan rules that ran, as quiet chips. */
export function RulesRun({ rules }: { readonly rules: readonly string[] }): ReactNode {
  return (
    <div className={styles.rules}>
      {rules.map((rule) => (
        <span key={rule} className={`${styles.rule} mono`}>
          {rule}
        </span>
      ))}
    </div>
  );
}

/** Two by two: rows are the truth, columns the model's answer. Shade grows with the share of its row. */
export function ConfusionMatrix({ confusion }: { readonly confusion: Confusion }): ReactNode {
  const { tn, fp, fn, tp } = confusion;
  const cell = (count: number, total: number, good: boolean, name: string): ReactNode => {
    const share = total === 0 ? 0 : count / total;
    return (
      <td
        className={styles.cell}
        style={{
          background: `color-mix(in srgb, var(${good ? '--sp-series1' : '--sp-limit'}) ${Math.round(8 + share * 32)}%, transparent)`,
        }}
      >
        <Tooltip label={name}>
          <span>
            <span className={`${styles.cellCount} num`}>{formatCount(count)}</span>
            <span className={`${styles.cellShare} num`}>{total === 0 ? '–' : formatShare(share, 1)}</span>
          </span>
        </Tooltip>
      </td>
    );
  };
  return (
    <table className={styles.confusion} aria-label="Confusion matrix">
      <thead>
        <tr>
          <td />
          <th scope="col">predicted benign</th>
          <th scope="col">predicted malicious</th>
        </tr>
      </thead>
      <tbody>
        <tr>
          <th scope="row">benign</th>
          {cell(tn, tn + fp, true, 'True negatives: benign, and the model said so')}
          {cell(fp, tn + fp, false, 'False positives: benign, but the model raised an alarm')}
        </tr>
        <tr>
          <th scope="row">malicious</th>
          {cell(fn, fn + tp, false, 'False negatives: malicious, and the model missed it')}
          {cell(tp, fn + tp, true, 'True positives: malicious, and the model caught it')}
        </tr>
      </tbody>
    </table>
  );
}

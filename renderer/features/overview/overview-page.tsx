import { Button } from '@mantine/core';
import {
  IconArrowRight,
  IconCircleCheck,
  IconCrown,
  IconHistory,
  IconPlus,
  IconRoute,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link, useNavigate } from 'react-router';
import type { Overview, RolloutView } from '../../../shared/domain/view/views.ts';
import { useCall } from '../../api/queries.ts';
import { Sparkline } from '../../charts/sparkline.tsx';
import { describeAction, personOf, subjectOf } from '../../ui/audit-words.ts';
import { formatMetric, formatShare, plural } from '../../ui/format.ts';
import { Bars, Loaded } from '../../ui/loaded.tsx';
import { Empty, Page, Panel, SimpleTable, Stat, Stats } from '../../ui/page.tsx';
import { isRunning, PhaseStatus } from '../../ui/status.tsx';
import { Ago, VersionLink } from '../../ui/text.tsx';
import styles from './overview.module.css';

function Attention({ items }: { readonly items: Overview['attention'] }): ReactNode {
  if (items.length === 0) {
    return (
      <div className={styles.calm}>
        <IconCircleCheck size={18} aria-hidden />
        Nothing waits for you. Requests to approve, paused rollouts and endpoints that do not answer appear
        here.
      </div>
    );
  }
  return (
    <ul className={styles.attention}>
      {items.map((item) => (
        <li key={`${item.kind}-${item.link}-${item.title}`}>
          <Link to={item.link} className={styles.attentionItem}>
            <span className={styles.attentionDot} data-kind={item.kind} aria-hidden />
            <span style={{ minWidth: 0, flex: 1 }}>
              <span className={styles.attentionTitle}>{item.title}</span>
              <span className={styles.attentionDetail}>{item.detail}</span>
            </span>
            <IconArrowRight size={16} className={styles.attentionArrow} aria-hidden />
          </Link>
        </li>
      ))}
    </ul>
  );
}

function RunningRollout({ view }: { readonly view: RolloutView }): ReactNode {
  const { state, points } = view;
  const last = points.at(-1);
  const limit = state.plan.guards.maxDisagreement;
  const percent = state.plan.steps[state.step] ?? 0;
  return (
    <Link to={`/rollouts/${state.id}`} className={styles.rollout}>
      <div style={{ minWidth: 0 }}>
        <div
          className={styles.rolloutTitle}
          title={`${state.name}@${state.version}`}
        >{`${state.name}@${state.version}`}</div>
        <div
          className="dim"
          style={{ overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap' }}
        >{`${state.target}, ${percent} % of traffic`}</div>
      </div>
      <PhaseStatus phase={state.phase} reason={state.reason} />
      <div style={{ minWidth: 0 }}>
        <Sparkline
          label="Disagreement with stable over time"
          values={points.slice(-60).map((point) => point.disagreement)}
          limit={limit}
          height={30}
        />
      </div>
      <div className={`${styles.rolloutFigure} num`}>
        <strong>{formatShare(last?.disagreement ?? null)}</strong>
        <span className="dim">disagreement</span>
      </div>
    </Link>
  );
}

function Content({ overview }: { readonly overview: Overview }): ReactNode {
  const navigate = useNavigate();
  if (overview.models === 0) {
    return (
      <Panel>
        <Empty
          icon={IconPlus}
          title="No models yet"
          action={<Button onClick={() => void navigate('/models')}>Go to Models</Button>}
        >
          Drag an ONNX file into this window. It is inspected and scanned before anything is stored; then
          validate it, compare it with the champion, and ask for its release.
        </Empty>
      </Panel>
    );
  }
  const running = overview.rollouts.filter(({ state }) => isRunning(state.phase) || state.phase === 'paused');
  return (
    <div className={styles.layout}>
      <div className={styles.wide}>
        <Stats>
          <Stat label="Models" value={overview.models} note={plural(overview.versions, 'version')} />
          <Stat label="Waiting for you" value={overview.attention.length} />
          <Stat label="Open requests" value={overview.openRequests} />
          <Stat label="Running rollouts" value={overview.runningRollouts} />
          <Stat label="Endpoints" value={overview.endpoints} />
        </Stats>
      </div>
      <div className={styles.wide}>
        <Panel title="Needs attention" flush>
          <Attention items={overview.attention} />
        </Panel>
      </div>
      <div className={styles.column}>
        <Panel
          title="Rollouts in progress"
          flush
          actions={
            <Link to="/rollouts" className={styles.more}>
              All rollouts
            </Link>
          }
        >
          {running.length === 0 ? (
            <Empty icon={IconRoute} title="No rollout is running">
              An approved request is deployed from its page in Releases.
            </Empty>
          ) : (
            running.map((view) => <RunningRollout key={view.state.id} view={view} />)
          )}
        </Panel>
        <Panel title="Champions" flush>
          {overview.champions.length === 0 ? (
            <Empty icon={IconCrown} title="No champion named">
              Open a version and give it the alias “champion”: comparisons and regression gates are held
              against it.
            </Empty>
          ) : (
            <SimpleTable
              label="Champions"
              columns={['Model', '>ROC AUC', '>F1']}
              rows={overview.champions.map((champion) => ({
                key: champion.name,
                cells: [
                  <VersionLink key="ref" of={champion} />,
                  formatMetric(champion.rocAuc),
                  formatMetric(champion.f1),
                ],
              }))}
            />
          )}
        </Panel>
      </div>
      <Panel
        title="Recent activity"
        flush
        actions={
          <Link to="/audit" className={styles.more}>
            Audit log
          </Link>
        }
        style={{ alignSelf: 'start' }}
      >
        {overview.recent.length === 0 ? (
          <Empty icon={IconHistory} title="No entries yet">
            Every change is written here.
          </Empty>
        ) : (
          <ul className={styles.activity}>
            {overview.recent.map((entry) => (
              <li key={entry.seq} className={styles.activityItem}>
                <span className={styles.activityText}>
                  <strong style={{ fontWeight: 500 }}>{personOf(entry)}</strong>{' '}
                  <span className="dim">{describeAction(entry.action)}</span>{' '}
                  {entry.subject === personOf(entry) ? null : (
                    <span title={entry.subject}>{subjectOf(entry)}</span>
                  )}
                </span>
                <span className="dim">
                  <Ago at={entry.at} />
                </span>
              </li>
            ))}
          </ul>
        )}
      </Panel>
    </div>
  );
}

export function OverviewPage(): ReactNode {
  const query = useCall('overview.get', {});
  return (
    <Page title="Overview">
      <Loaded query={query} skeleton={<Bars rows={7} height={52} />}>
        {(overview) => <Content overview={overview} />}
      </Loaded>
    </Page>
  );
}

import { Button, Group, Modal, Stack } from '@mantine/core';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Link } from 'react-router';
import type { Collection } from '../../../shared/domain/model/retention.ts';
import { useJob } from '../../api/jobs.ts';
import { notifyDone } from '../../api/mutations.ts';
import { useCall } from '../../api/queries.ts';
import { formatBytes, plural } from '../../ui/format.ts';
import { JobProgressBar } from '../../ui/job-progress.tsx';
import { Bars } from '../../ui/loaded.tsx';
import { Callout, Panel, SimpleTable, Stat, Stats } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Truncated } from '../../ui/text.tsx';

/** Rows of one list that are shown; the rest is a number. */
const SHOWN = 50;

/** Retention and garbage collection: first what would go and why, then, confirmed, the same in earnest. */
export function CollectDialog({
  opened,
  onClose,
}: {
  readonly opened: boolean;
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Modal opened={opened} onClose={onClose} title="Free space" size={780} closeOnClickOutside={false}>
      {opened ? <Collect onClose={onClose} /> : null}
    </Modal>
  );
}

function Collect({ onClose }: { readonly onClose: () => void }): ReactNode {
  const [plan, setPlan] = useState<Collection | null>(null);
  const job = useJob('models.collect');
  const about = useCall('vault.about', {});
  const { run } = job;
  const asked = useRef(false);
  useEffect(() => {
    // Once per opening: the dry run reads every record.
    if (asked.current) return;
    asked.current = true;
    void run({ dryRun: true }).then(setPlan);
  }, [run]);

  const collect = async (): Promise<void> => {
    const done = await run({ dryRun: false });
    if (done === null) return;
    notifyDone(
      `${plural(done.removed.length + done.orphans.length, 'file')} removed, ${formatBytes(done.freedBytes)} freed.`,
    );
    onClose();
  };
  const nothing = plan !== null && plan.archived.length + plan.removed.length + plan.orphans.length === 0;
  const keepLast = about.data?.settings.keepLast;
  return (
    <Stack gap="md">
      <span className="dim">
        {keepLast === undefined
          ? ''
          : keepLast === null
            ? 'No retention rule is set, so every version keeps its file and only files that no record names can go. '
            : `The newest ${plural(keepLast, 'version')} of each model ${keepLast === 1 ? 'stays as it is' : 'stay as they are'}; the files of older ones go. `}
        What is deployed, has an alias, or is under an open request always stays. Records, reports and the
        audit log are never removed.{' '}
        <Link to="/settings?tab=vault" style={{ color: 'var(--sp-accent-text)' }}>
          Change the rule
        </Link>
      </span>
      {job.problem === null ? null : <Problem error={job.problem} />}
      {plan === null ? (
        job.problem === null ? (
          <Bars rows={5} />
        ) : null
      ) : (
        <>
          <Stats>
            <Stat label="Freed" value={formatBytes(plan.freedBytes)} />
            <Stat label="Model files removed" value={plan.removed.length} />
            <Stat label="Files no record names" value={plan.orphans.length} />
            <Stat label="Archived by the rule" value={plan.archived.length} />
            <Stat label="Kept though old" value={plan.kept.length} />
          </Stats>
          {nothing ? (
            <Callout tone="ok">There is nothing to remove.</Callout>
          ) : (
            // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
            <div tabIndex={0} style={{ maxHeight: '42vh', overflow: 'auto', display: 'grid', gap: 12 }}>
              <List
                title="Model files that go"
                rows={plan.removed.map((item) => [item.ref, formatBytes(item.sizeBytes), item.reason])}
              />
              <List
                title="Files no record names"
                rows={plan.orphans.map((item) => [
                  item.artifactId,
                  formatBytes(item.sizeBytes),
                  'Left over; nothing can reach it.',
                ])}
              />
              <List
                title="Archived by the rule"
                rows={plan.archived.map((item) => [item.ref, '', item.reason])}
              />
              <List title="Kept though old" rows={plan.kept.map((item) => [item.ref, '', item.reason])} />
            </div>
          )}
          {nothing ? null : (
            <Callout tone="warn">
              A removed file cannot be deployed or exported any more. Adding the very same file again brings
              it back.
            </Callout>
          )}
        </>
      )}
      {job.running && plan !== null ? (
        <JobProgressBar label="Removing" progress={job.progress} onCancel={job.cancel} />
      ) : (
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose} data-autofocus>
            {nothing ? 'Close' : 'Cancel'}
          </Button>
          {plan === null || nothing ? null : (
            <Button color="red.8" onClick={() => void collect()}>
              {plan.removed.length + plan.orphans.length === 0
                ? `Archive ${plural(plan.archived.length, 'version')}`
                : `Remove ${plural(plan.removed.length + plan.orphans.length, 'file')}`}
            </Button>
          )}
        </Group>
      )}
    </Stack>
  );
}

function List({
  title,
  rows,
}: {
  readonly title: string;
  readonly rows: readonly (readonly [string, string, string])[];
}): ReactNode {
  if (rows.length === 0) return null;
  return (
    <Panel
      title={title}
      {...(rows.length > SHOWN ? { note: `the first ${SHOWN} of ${rows.length}` } : {})}
      flush
    >
      <SimpleTable
        label={title}
        columns={['What', '>Size', 'Why']}
        rows={rows.slice(0, SHOWN).map(([what, size, why]) => ({
          key: what,
          cells: [
            <span key="w" style={{ fontWeight: 500 }}>
              <Truncated max={240}>{what}</Truncated>
            </span>,
            size,
            <span key="y" className="dim">
              {why}
            </span>,
          ],
        }))}
      />
    </Panel>
  );
}

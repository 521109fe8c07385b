import { Button, Group, Stack, Textarea } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { AuditVerdict } from '../../../shared/domain/audit/entry.ts';
import { useJob } from '../../api/jobs.ts';
import { JobProgressBar } from '../../ui/job-progress.tsx';
import { FilePicker } from '../../ui/pickers.tsx';
import { Problem } from '../../ui/problem.tsx';
import { VerdictCard } from './verdict-card.tsx';

interface VerifyFileProps {
  readonly onBack: () => void;
  /** Without a heading of its own, inside a dialog. */
  readonly plain?: boolean;
}

/** Proves an exported log with nothing but the file, and whatever of it was kept elsewhere. */
export function VerifyFile({ onBack, plain = false }: VerifyFileProps): ReactNode {
  const [path, setPath] = useState<string | null>(null);
  const [checkpoints, setCheckpoints] = useState<string | null>(null);
  const [head, setHead] = useState<string | null>(null);
  const [key, setKey] = useState('');
  const [verdict, setVerdict] = useState<AuditVerdict | null>(null);
  const job = useJob('audit.verifyFile');
  const reset = (): void => {
    setVerdict(null);
    job.clear();
  };
  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (path === null || job.running) return;
    setVerdict(null);
    setVerdict(
      await job.run({
        path,
        key: key.trim() === '' ? null : key.trim(),
        checkpointPath: checkpoints,
        headPath: head,
      }),
    );
  };
  const pick = (set: (path: string) => void) => (next: string) => {
    set(next);
    reset();
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack gap="sm">
        <div>
          {plain ? null : (
            <h1 style={{ margin: '0 0 4px', fontSize: '1rem', fontWeight: 600 }}>
              Verify an exported audit log
            </h1>
          )}
          <span className="dim">
            Needs no vault. The file alone shows its own chain and signatures; what was kept elsewhere shows
            that nothing was cut off or signed anew.
          </span>
        </div>
        <FilePicker
          label="Exported log"
          kind="audit"
          path={path}
          onPick={pick(setPath)}
          hint="A .jsonl file made by Export…"
        />
        <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 12 }}>
          <FilePicker
            label="Checkpoint kept elsewhere"
            kind="audit"
            path={checkpoints}
            onPick={pick(setCheckpoints)}
            hint="optional"
          />
          <FilePicker
            label="Head kept elsewhere"
            kind="audit"
            path={head}
            onPick={pick(setHead)}
            hint="optional"
          />
        </div>
        <Textarea
          label="Checkpoint key, as noted elsewhere"
          description="Optional. Without it the key in the file is used, and the verdict says so."
          value={key}
          onChange={(event) => {
            setKey(event.currentTarget.value);
            reset();
          }}
          autosize
          minRows={1}
          maxRows={3}
          maxLength={1000}
          spellCheck={false}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
        />
        {job.problem === null ? null : <Problem error={job.problem} />}
        {verdict === null ? null : <VerdictCard verdict={verdict} onClose={() => setVerdict(null)} />}
        {job.running ? (
          <JobProgressBar label="Verifying" progress={job.progress} onCancel={job.cancel} />
        ) : (
          <Group justify="space-between">
            <Button variant="default" size="sm" onClick={onBack}>
              {plain ? 'Close' : 'Back'}
            </Button>
            <Button type="submit" size="sm" disabled={path === null}>
              Verify
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}

import { Button, Progress } from '@mantine/core';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import type { JobProgress } from '../../shared/domain/view/views.ts';
import { formatBytes, formatCount, formatDuration } from './format.ts';

interface JobProgressProps {
  readonly label: string;
  readonly progress: JobProgress | null;
  readonly onCancel: () => void;
  readonly unit?: 'bytes' | 'rows';
}

/** A pace is said once it was watched for so long, in milliseconds. */
const WATCH_MS = 800;

interface Pace {
  readonly perSecond: number;
  /** Milliseconds left in this phase; null where its end is not known. */
  readonly leftMs: number | null;
}

/** How fast a phase goes, from its own beginning: phases differ too much for one average. */
function usePace(progress: JobProgress | null): Pace | null {
  const start = useRef<{ readonly key: string; readonly at: number; readonly done: number } | null>(null);
  const [pace, setPace] = useState<Pace | null>(null);
  useEffect(() => {
    const now = performance.now();
    const key = progress === null ? '' : `${progress.jobId} ${progress.phase}`;
    if (progress === null || start.current?.key !== key || progress.done < start.current.done) {
      start.current = progress === null ? null : { key, at: now, done: progress.done };
      setPace(null);
      return;
    }
    const elapsed = now - start.current.at;
    const perMs = (progress.done - start.current.done) / elapsed;
    if (elapsed < WATCH_MS || perMs <= 0) return;
    const leftMs = progress.total > 0 ? Math.max(0, progress.total - progress.done) / perMs : null;
    setPace({ perSecond: perMs * 1000, leftMs });
  }, [progress]);
  return pace;
}

/** Progress of a long operation with its phase, figures, pace, time left and a cancel button. */
export function JobProgressBar({ label, progress, onCancel, unit }: JobProgressProps): ReactNode {
  const write = unit === 'bytes' ? formatBytes : formatCount;
  const pace = usePace(progress);
  const known = progress !== null && progress.total > 0;
  const share = known ? Math.min(100, (progress.done / progress.total) * 100) : 100;
  const figures =
    progress === null
      ? ''
      : known
        ? `${write(progress.done)} of ${write(progress.total)}`
        : progress.done > 0
          ? write(progress.done)
          : '';
  return (
    <div style={{ display: 'flex', gap: 14, alignItems: 'center' }}>
      <div style={{ flex: 1, minWidth: 0 }}>
        <div
          style={{ display: 'flex', justifyContent: 'space-between', gap: 12, marginBottom: 5 }}
          role="status"
          aria-live="polite"
        >
          <span>{progress === null ? label : `${label}: ${progress.phase}`}</span>
          <span className="num dim">
            {figures}
            {pace === null || unit === undefined
              ? ''
              : ` · ${write(pace.perSecond)}${unit === 'rows' ? ' rows' : ''}/s`}
            {pace === null || pace.leftMs === null || pace.leftMs < 1000
              ? ''
              : ` · ${formatDuration(pace.leftMs)} left`}
          </span>
        </div>
        <Progress value={share} animated={!known} size={5} aria-label={label} transitionDuration={120} />
      </div>
      <Button variant="default" onClick={onCancel}>
        Cancel
      </Button>
    </div>
  );
}

import { Button, Progress } from '@mantine/core';
import type { ReactNode } from 'react';
import type { JobProgress } from '../../shared/domain/view/views.ts';
import { formatBytes, formatCount } from './format.ts';

interface JobProgressProps {
  readonly label: string;
  readonly progress: JobProgress | null;
  readonly onCancel: () => void;
  readonly unit?: 'bytes' | 'rows';
}

/** Progress of a long operation with its phase, figures and a cancel button. */
export function JobProgressBar({ label, progress, onCancel, unit }: JobProgressProps): ReactNode {
  const write = unit === 'bytes' ? formatBytes : formatCount;
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
          <span className="num dim">{figures}</span>
        </div>
        <Progress value={share} animated={!known} size={5} aria-label={label} transitionDuration={120} />
      </div>
      <Button variant="default" onClick={onCancel}>
        Cancel
      </Button>
    </div>
  );
}

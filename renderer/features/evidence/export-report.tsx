import { Button, Menu } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import type { EvidenceRef } from '../../../shared/domain/evidence/rows.ts';
import { call } from '../../api/bridge.ts';
import { notifyDone, notifyProblem } from '../../api/mutations.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { fileName } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';

const FORMATS = [
  { format: 'html', label: 'HTML, one file' },
  { format: 'pdf', label: 'PDF' },
  { format: 'json', label: 'JSON, all figures' },
] as const;

/** Writes a report where somebody without this program can read it. */
export function ExportReport({
  evidence,
  name,
}: {
  readonly evidence: EvidenceRef;
  /** Suggested file name without its ending. */
  readonly name: string;
}): ReactNode {
  const { operator } = useSession();
  const [busy, setBusy] = useState(false);
  const refusal = roleRefusal(operator.roles, 'report.export');
  const save = async (format: (typeof FORMATS)[number]['format']): Promise<void> => {
    try {
      const { path } = await call('dialogs.save', { suggestedName: `${name}.${format}` });
      if (path === null) return;
      setBusy(true);
      const written = await call('evidence.exportReport', { evidence, path, format });
      notifyDone(`The report is in ${fileName(written.path)}.`);
    } catch (error) {
      notifyProblem(error);
    } finally {
      setBusy(false);
    }
  };
  if (refusal !== null) {
    return (
      <GuardedButton refusal={refusal} variant="default" onClick={() => undefined}>
        Export…
      </GuardedButton>
    );
  }
  return (
    <Menu position="bottom-end" shadow="md" width={190}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={14} />} loading={busy}>
          Export…
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {FORMATS.map(({ format, label }) => (
          <Menu.Item key={format} onClick={() => void save(format)}>
            {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

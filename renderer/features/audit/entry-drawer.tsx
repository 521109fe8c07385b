// biome-ignore-all lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard
import { Drawer, Group, Stack } from '@mantine/core';
import type { ReactNode } from 'react';
import type { AuditEntry } from '../../../shared/domain/audit/entry.ts';
import { describeAction, personOf, subjectOf } from '../../ui/audit-words.ts';
import { formatInstant } from '../../ui/format.ts';
import { Facts } from '../../ui/page.tsx';
import { Copy, Digest } from '../../ui/text.tsx';
import { canonicalText } from './canonical-text.ts';

/** One entry: what it says, the bytes that were hashed, and its link to the one before. */
export function EntryDrawer({
  entry,
  onClose,
}: {
  readonly entry: AuditEntry | null;
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Drawer
      opened={entry !== null}
      onClose={onClose}
      title={entry === null ? '' : `Entry ${entry.seq}`}
      size={560}
    >
      {entry === null ? null : (
        <Stack gap="md">
          <div style={{ fontSize: '0.9375rem' }}>
            <strong style={{ fontWeight: 600 }}>{personOf(entry)}</strong> {describeAction(entry.action)}{' '}
            {entry.subject === personOf(entry) ? '' : subjectOf(entry)}
          </div>
          <Facts
            items={[
              ['When', formatInstant(entry.at)],
              ['Written by', entry.actor],
              [
                'Action',
                <span key="a" className="mono">
                  {entry.action}
                </span>,
              ],
              [
                'Subject',
                subjectOf(entry) === entry.subject ? null : (
                  <span key="s" className="mono">
                    {entry.subject}
                  </span>
                ),
              ],
              ['Hash', <Digest key="h" value={entry.hash} what="hash" full />],
              ['Previous', <Digest key="p" value={entry.previous} what="previous hash" full />],
            ]}
          />
          <div>
            <Group justify="space-between" mb={4}>
              <span style={{ fontWeight: 500 }}>Canonical JSON</span>
              <Copy value={canonicalText(entry)} label="Copy the canonical JSON" />
            </Group>
            <pre
              className="mono"
              tabIndex={0}
              style={{
                margin: 0,
                padding: 12,
                borderRadius: 6,
                background: 'var(--sp-sunken)',
                border: '1px solid var(--sp-border)',
                whiteSpace: 'pre-wrap',
                overflowWrap: 'anywhere',
                maxHeight: 320,
                overflow: 'auto',
              }}
            >
              {canonicalText(entry)}
            </pre>
            <div className="dim" style={{ marginTop: 6 }}>
              The hash is SHA-256 over exactly these bytes (RFC 8785).
            </div>
          </div>
        </Stack>
      )}
    </Drawer>
  );
}

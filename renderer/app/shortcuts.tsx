import { Modal } from '@mantine/core';
import { Fragment, type ReactNode } from 'react';
import { platform } from '../api/bridge.ts';
import { ROOMS } from './rooms.ts';
import styles from './shell.module.css';

interface Entry {
  readonly keys: readonly string[];
  readonly text: string;
}

/** All shortcuts by group. `mod` is written as the platform writes it. */
export function shortcutGroups(
  mac: boolean,
): readonly { readonly title: string; readonly entries: readonly Entry[] }[] {
  const mod = mac ? '⌘' : 'Ctrl';
  return [
    {
      title: 'Everywhere',
      entries: [
        { keys: [mod, 'K'], text: 'Search and commands' },
        { keys: ['?'], text: 'This sheet' },
        { keys: ['/'], text: "The page's search box" },
        { keys: [mod, 'O'], text: 'Add a model' },
        { keys: [mod, 'Shift', 'L'], text: 'Lock (sign out)' },
        { keys: [mod, ','], text: 'Settings' },
      ],
    },
    {
      title: 'Go to',
      entries: ROOMS.map((room) => ({ keys: ['G', room.key.toUpperCase()], text: room.label })),
    },
    {
      title: 'Tables',
      entries: [
        { keys: ['↑', '↓'], text: 'Move the active row' },
        { keys: ['Enter'], text: 'Open it' },
        { keys: ['Home', 'End'], text: 'First, last row' },
        { keys: ['Page ↑', 'Page ↓'], text: 'A page up, down' },
        { keys: ['J', 'K'], text: 'Next, former row of a report' },
        { keys: ['M', 'B', 'U'], text: 'Say of it: malicious, benign, unsure' },
      ],
    },
  ];
}

export function ShortcutSheet({
  opened,
  onClose,
}: {
  readonly opened: boolean;
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Modal opened={opened} onClose={onClose} title="Keyboard shortcuts" size={620}>
      {/* A sheet to read: the focus is on it, not on the button that closes it. */}
      <div className={styles.help} tabIndex={-1} data-autofocus style={{ outline: 'none' }}>
        {shortcutGroups(platform() === 'darwin').map((group) => (
          <Fragment key={group.title}>
            <div className={styles.helpTitle}>{group.title}</div>
            {group.entries.map((entry) => (
              <div key={entry.text} className={styles.helpRow}>
                <span>{entry.text}</span>
                <span className={styles.keys}>
                  {entry.keys.map((key) => (
                    <kbd key={key} className={styles.kbd}>
                      {key}
                    </kbd>
                  ))}
                </span>
              </div>
            ))}
          </Fragment>
        ))}
      </div>
    </Modal>
  );
}

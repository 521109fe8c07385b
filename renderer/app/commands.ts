import { notifications } from '@mantine/notifications';
import { useContext, useEffect, useMemo, useRef } from 'react';
import { useNavigate } from 'react-router';
import { call, onEvent } from '../api/bridge.ts';
import { notifyProblem } from '../api/mutations.ts';
import { LeaveContext, useAdoptSession } from '../api/session.ts';
import { palette } from './palette-store.ts';
import { holdPrefill } from './prefill.ts';
import { ROOMS } from './rooms.ts';

export interface ShellCommands {
  readonly goTo: (path: string, state?: unknown) => void;
  readonly addModel: () => void;
  /** Signs the operator out; work under way in the vault goes on. */
  readonly lock: () => void;
  /** Signs out and fills in the sign-in form for a sample operator. */
  readonly switchTo: (operator: { name: string; passphrase: string }) => void;
  readonly showShortcuts: () => void;
}

/** How long after G the second key still counts, in milliseconds. */
const SEQUENCE_MS = 1200;

/** Inputs that take no text: a letter pressed on them is free for the shell. */
const TEXTLESS = ['radio', 'checkbox', 'button', 'submit', 'range', 'file', 'color'];

function isTyping(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return !TEXTLESS.includes(target.type);
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['TEXTAREA', 'SELECT'].includes(target.tagName))
  );
}

/** What the shell can do, by keyboard, application menu, palette or mouse: one list for all of them. */
export function useShellCommands(showShortcuts: () => void): ShellCommands {
  const navigate = useNavigate();
  const adopt = useAdoptSession();
  const dropPage = useContext(LeaveContext);
  const show = useRef(showShortcuts);
  show.current = showShortcuts;

  const commands = useMemo<ShellCommands>(() => {
    const leave = async (channel: 'session.signOut' | 'vault.lock'): Promise<void> => {
      try {
        // Before the call: the news that nobody is signed in may be here sooner than its answer.
        dropPage();
        adopt(await call(channel, {}));
        // They name models and people, and the next to sit here may be somebody else.
        notifications.clean();
      } catch (error) {
        notifyProblem(error);
      }
    };
    return {
      goTo: (path, state) => void navigate(path, state === undefined ? {} : { state }),
      addModel: () => {
        call('dialogs.open', { kind: 'model' })
          .then(({ path }) => (path === null ? undefined : navigate('/models', { state: { inspect: path } })))
          .catch(notifyProblem);
      },
      lock: () => void leave('vault.lock'),
      switchTo: (operator) => {
        holdPrefill(operator);
        void leave('session.signOut');
      },
      showShortcuts: () => show.current(),
    };
  }, [navigate, adopt, dropPage]);

  useEffect(
    () =>
      onEvent('menu.command', ({ command }) => {
        if (command === 'models.add') commands.addModel();
        else if (command === 'session.lock') commands.lock();
        else if (command === 'palette.open') palette.open();
        else if (command === 'shortcuts.show') commands.showShortcuts();
        else if (command === 'settings.open') commands.goTo('/settings');
      }),
    [commands],
  );

  useEffect(() => {
    let armedUntil = 0;
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey) {
        // Taken here, before the application menu would: the same keys work where there is no menu.
        const key = event.key.toLowerCase();
        const run = event.shiftKey
          ? key === 'l'
            ? commands.lock
            : null
          : key === 'o'
            ? commands.addModel
            : key === ','
              ? () => commands.goTo('/settings')
              : null;
        if (run !== null && !event.altKey) {
          event.preventDefault();
          run();
        }
        return;
      }
      if (event.altKey || isTyping(event.target)) return;
      // A dialog keeps the keyboard to itself.
      if (document.querySelector('[role="dialog"][aria-modal="true"]') !== null) return;
      if (event.key === '?') {
        event.preventDefault();
        commands.showShortcuts();
      } else if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('input[data-page-search]');
        if (search !== null) {
          event.preventDefault();
          search.focus();
          search.select();
        }
      } else if (event.timeStamp < armedUntil) {
        armedUntil = 0;
        const room = ROOMS.find((candidate) => candidate.key === event.key.toLowerCase());
        if (room !== undefined) commands.goTo(room.path);
      } else if (event.key.toLowerCase() === 'g') {
        armedUntil = event.timeStamp + SEQUENCE_MS;
      }
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [commands]);
  return commands;
}

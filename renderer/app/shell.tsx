import { Menu, Portal } from '@mantine/core';
import { IconKeyboard, IconLock, IconMoon, IconSearch, IconSun } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { NavLink, Outlet, useLocation } from 'react-router';
import { platform } from '../api/bridge.ts';
import { useCall } from '../api/queries.ts';
import { formatRoles, type SignedIn } from '../api/session.ts';
import { queryKey } from '../api/topics.ts';
import { useAppearance } from './appearance.ts';
import { useShellCommands } from './commands.ts';
import { DropTarget } from './drop-target.tsx';
import { ErrorBoundary } from './error-boundary.tsx';
import { IdleWatch } from './idle-watch.tsx';
import { Mark } from './mark.tsx';
import { Palette } from './palette.tsx';
import { palette } from './palette-store.ts';
import { ReadOnlyBanner } from './read-only-banner.tsx';
import { ROOMS, roomOf } from './rooms.ts';
import { SampleBanner } from './sample-banner.tsx';
import styles from './shell.module.css';
import { ShortcutSheet } from './shortcuts.tsx';

export function initialsOf(person: string): string {
  const parts = person.trim().split(/\s+/);
  return `${parts[0]?.[0] ?? ''}${parts.length > 1 ? (parts.at(-1)?.[0] ?? '') : ''}`.toUpperCase();
}

function Rail({
  session,
  onShortcuts,
  onLock,
}: {
  readonly session: SignedIn;
  readonly onShortcuts: () => void;
  readonly onLock: () => void;
}): ReactNode {
  const overview = useCall('overview.get', {});
  const waiting = overview.data?.attention.length ?? 0;
  const { scheme, toggle } = useAppearance();
  const { pathname } = useLocation();
  const here = roomOf(pathname);
  const modifier = platform() === 'darwin' ? '⌘' : 'Ctrl';
  return (
    <aside className={styles.rail} aria-label="Navigation">
      <div className={styles.brand}>
        <Mark />
        Sallyport
      </div>
      <button
        type="button"
        className={styles.search}
        onClick={() => palette.open()}
        aria-keyshortcuts="Control+K Meta+K"
      >
        <IconSearch size={14} aria-hidden />
        Search
        <kbd>{modifier} K</kbd>
      </button>
      <nav className={styles.nav} aria-label="Rooms">
        {ROOMS.map((room) => (
          <NavLink
            key={room.path}
            to={room.path}
            className={styles.link ?? ''}
            aria-current={here === room ? 'page' : undefined}
            title={`${room.label} (G then ${room.key.toUpperCase()})`}
          >
            <room.icon size={17} stroke={1.7} aria-hidden />
            {room.label}
            {room.path === '/overview' && waiting > 0 ? (
              <span className={`${styles.count} num`}>
                {waiting}
                <span
                  style={{
                    position: 'absolute',
                    clip: 'rect(0 0 0 0)',
                    width: 1,
                    height: 1,
                    overflow: 'hidden',
                  }}
                >
                  {' '}
                  waiting
                </span>
              </span>
            ) : null}
          </NavLink>
        ))}
      </nav>
      <Menu position="top-start" width={200} shadow="md" transitionProps={{ duration: 80 }}>
        <Menu.Target>
          <button type="button" className={styles.person}>
            <span className={styles.initials} aria-hidden>
              {initialsOf(session.operator.person)}
            </span>
            <span style={{ minWidth: 0 }}>
              <div
                className={styles.personName}
                title={`${session.operator.person} (${session.operator.name})`}
              >
                {session.operator.person}
              </div>
              <div className={styles.personRoles} title={formatRoles(session.operator.roles)}>
                {formatRoles(session.operator.roles)}
              </div>
            </span>
          </button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={scheme === 'dark' ? <IconSun size={15} /> : <IconMoon size={15} />}
            onClick={toggle}
          >
            {scheme === 'dark' ? 'Light theme' : 'Dark theme'}
          </Menu.Item>
          <Menu.Item leftSection={<IconKeyboard size={15} />} onClick={onShortcuts}>
            Keyboard shortcuts
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item leftSection={<IconLock size={15} />} onClick={onLock}>
            Lock (sign out)
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </aside>
  );
}

/** The window of a signed-in operator: banner, rail, page. */
export function Shell({ session }: { readonly session: SignedIn }): ReactNode {
  const [help, setHelp] = useState(false);
  const commands = useShellCommands(() => setHelp(true));
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const client = useQueryClient();

  // A new page takes the focus, so that the keyboard continues there and not in the rail.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is the cause
  useEffect(() => {
    if (document.activeElement === document.body || document.activeElement === null)
      main.current?.focus({ preventScroll: true });
  }, [pathname]);

  return (
    <div className={styles.shell} data-page>
      <button type="button" className={styles.skip} onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <div className={styles.banner}>
        {session.readOnly === null ? null : (
          <ReadOnlyBanner
            reason={session.readOnly}
            onCheck={() => void client.invalidateQueries({ queryKey: queryKey('session.status', {}) })}
          />
        )}
        {session.sample === null ? null : (
          <SampleBanner
            sample={session.sample}
            current={session.operator.name}
            onChoose={(operator) => {
              if (operator.name !== session.operator.name) commands.switchTo(operator);
            }}
          />
        )}
      </div>
      <Rail session={session} onShortcuts={() => setHelp(true)} onLock={commands.lock} />
      <main className={styles.main} id="main" ref={main} tabIndex={-1}>
        <ErrorBoundary reset={pathname}>
          <Outlet />
        </ErrorBoundary>
      </main>
      <Palette commands={commands} />
      {/* Above dialogs: they stand in a portal too. */}
      <Portal>
        <IdleWatch />
      </Portal>
      <ShortcutSheet opened={help} onClose={() => setHelp(false)} />
      <section aria-label="Drop target">
        <DropTarget />
      </section>
    </div>
  );
}

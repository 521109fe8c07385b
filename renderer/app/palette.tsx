import { useDebouncedValue } from '@mantine/hooks';
import { Spotlight, type SpotlightActionGroupData } from '@mantine/spotlight';
import {
  IconArrowsDiff,
  IconCertificate,
  IconCpu,
  IconDatabaseExport,
  IconKeyboard,
  IconLock,
  IconMoon,
  IconPlus,
  IconRecycle,
  IconRoute,
  IconSearch,
  IconShieldCheck,
} from '@tabler/icons-react';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { formatRef } from '../../shared/domain/model/version.ts';
import { useCall } from '../api/queries.ts';
import { findVersionQuery } from '../ui/find-version.ts';
import { shortDigest } from '../ui/format.ts';
import { versionPath } from '../ui/text.tsx';
import { useAppearance } from './appearance.ts';
import type { ShellCommands } from './commands.ts';
import { paletteStore } from './palette-store.ts';
import { ROOMS } from './rooms.ts';

/** Versions are asked for so long after the last key, in milliseconds, and so many at once. */
const ASK_MS = 150;
const LISTED = 30;

/**
 * Marks the first line for Enter where none is marked, and sets the place from which the arrows go on: Mantine does so
 * for the lines that are there when a key is pressed, not for those of an answer that comes later.
 */
function markLine(): void {
  const list = document.getElementById(paletteStore.getState().listId);
  const lines = [...(list?.querySelectorAll('[data-action]') ?? [])];
  if (!lines.some((line) => line.hasAttribute('data-selected')))
    lines[0]?.setAttribute('data-selected', 'true');
  const selected = lines.findIndex((line) => line.hasAttribute('data-selected'));
  paletteStore.updateState((state) => ({ ...state, selected }));
}

/** The command palette: rooms, commands, and everything that has a name. */
export function Palette({ commands }: { readonly commands: ShellCommands }): ReactNode {
  const [opened, setOpened] = useState(false);
  const { toggle } = useAppearance();
  // Asked for only once the palette has been opened; cached like every other answer.
  const [typed, setTyped] = useState('');
  const [asked] = useDebouncedValue(typed, ASK_MS);
  const models = useCall(
    'models.list',
    { text: findVersionQuery(asked), limit: LISTED, offset: 0 },
    { enabled: opened, keepFormer: true },
  );
  const requests = useCall('requests.list', {}, { enabled: opened });
  const rollouts = useCall('rollouts.list', {}, { enabled: opened });

  const groups = useMemo<SpotlightActionGroupData[]>(() => {
    const icon = (Icon: typeof IconPlus): ReactNode => <Icon size={17} stroke={1.7} />;
    return [
      {
        group: 'Go to',
        actions: ROOMS.map((room) => ({
          id: room.path,
          label: room.label,
          keywords: room.words,
          leftSection: icon(room.icon),
          onClick: () => commands.goTo(room.path),
        })),
      },
      {
        group: 'Do',
        actions: [
          {
            id: 'add-model',
            label: 'Add a model',
            description: 'Inspect an ONNX file and register it',
            leftSection: icon(IconPlus),
            onClick: commands.addModel,
          },
          {
            id: 'compare-versions',
            label: 'Compare two versions',
            description: 'Their records, field by field',
            keywords: 'diff differences lineage',
            leftSection: icon(IconArrowsDiff),
            onClick: () => commands.goTo('/models/compare'),
          },
          {
            id: 'free-space',
            label: 'Free space',
            description: 'What the retention rule lets go, before anything is removed',
            keywords: 'garbage collection retention archive',
            leftSection: icon(IconRecycle),
            onClick: () => commands.goTo('/models', { collect: true }),
          },
          {
            id: 'back-up',
            label: 'Back up the vault',
            description: 'One encrypted, verified file',
            leftSection: icon(IconDatabaseExport),
            onClick: () => commands.goTo('/settings?tab=vault'),
          },
          {
            id: 'new-request',
            label: 'Submit a release request',
            description: 'Freeze the evidence and ask for approval',
            leftSection: icon(IconCertificate),
            onClick: () => commands.goTo('/releases/new'),
          },
          {
            id: 'verify',
            label: 'Verify the audit log',
            description: 'Hashes, signatures, witnesses',
            leftSection: icon(IconShieldCheck),
            onClick: () => commands.goTo('/audit', { verify: true }),
          },
          {
            id: 'theme',
            label: 'Switch theme',
            keywords: 'dark light appearance',
            leftSection: icon(IconMoon),
            onClick: toggle,
          },
          {
            id: 'shortcuts',
            label: 'Keyboard shortcuts',
            leftSection: icon(IconKeyboard),
            onClick: commands.showShortcuts,
          },
          {
            id: 'lock',
            label: 'Lock (sign out)',
            keywords: 'log out vault leave',
            leftSection: icon(IconLock),
            onClick: commands.lock,
          },
        ],
      },
      {
        group: 'Versions',
        actions: (models.data?.rows ?? []).map((row) => ({
          id: `v-${formatRef(row)}`,
          label: formatRef(row),
          description: [row.state, ...row.aliases, shortDigest(row.digest)].join(' · '),
          leftSection: icon(IconCpu),
          onClick: () => commands.goTo(versionPath(row)),
        })),
      },
      {
        group: 'Requests and rollouts',
        actions: [
          ...(requests.data ?? []).map(({ record }) => ({
            id: `q-${record.id}`,
            label: `${record.request.name}@${record.request.version} for ${record.environmentName}`,
            description: `Request · ${record.state}`,
            leftSection: icon(IconCertificate),
            onClick: () => commands.goTo(`/releases/${record.id}`),
          })),
          ...(rollouts.data ?? []).map(({ state }) => ({
            id: `r-${state.id}`,
            label: `${state.name}@${state.version} to ${state.target}`,
            description: `Rollout · ${state.phase}`,
            leftSection: icon(IconRoute),
            onClick: () => commands.goTo(`/rollouts/${state.id}`),
          })),
        ],
      },
    ];
  }, [commands, toggle, models.data, requests.data, rollouts.data]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the lines are the cause
  useEffect(() => {
    if (typed !== '') markLine();
  }, [groups, typed]);

  return (
    <Spotlight
      store={paletteStore}
      actions={groups}
      shortcut="mod + K"
      // From a text field too: nobody types Ctrl+K.
      tagsToIgnore={[]}
      limit={40}
      highlightQuery
      scrollable
      scrollAreaProps={{ scrollbars: 'y' }}
      maxHeight={420}
      size={620}
      attributes={{ content: { 'aria-label': 'Search and commands' } }}
      overlayProps={{ blur: 0, backgroundOpacity: 0.4 }}
      transitionProps={{ duration: 80 }}
      nothingFound="Nothing by that name"
      onSpotlightOpen={() => setOpened(true)}
      query={typed}
      onQueryChange={setTyped}
      searchProps={{
        leftSection: <IconSearch size={17} />,
        placeholder: 'Go to, do, or find by name…',
        'aria-label': 'Search and commands',
      }}
    />
  );
}

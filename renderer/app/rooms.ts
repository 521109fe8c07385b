import {
  IconArrowsDiff,
  IconCertificate,
  IconChecklist,
  IconCpu,
  IconHistory,
  IconLayoutDashboard,
  IconRoute,
  IconServer2,
  IconSettings,
  type TablerIcon,
} from '@tabler/icons-react';

export interface Room {
  readonly path: string;
  readonly label: string;
  readonly icon: TablerIcon;
  /** Second key after G. */
  readonly key: string;
  readonly words: string;
}

/** The rail, in the order of the work: from a file to a service that can be proven. */
export const ROOMS: readonly Room[] = [
  {
    path: '/overview',
    label: 'Overview',
    icon: IconLayoutDashboard,
    key: 'o',
    words: 'home dashboard attention',
  },
  { path: '/models', label: 'Models', icon: IconCpu, key: 'm', words: 'registry versions onnx' },
  {
    path: '/validate',
    label: 'Validate',
    icon: IconChecklist,
    key: 'v',
    words: 'metrics roc report dataset',
  },
  {
    path: '/compare',
    label: 'Compare',
    icon: IconArrowsDiff,
    key: 'c',
    words: 'champion challenger disagreement',
  },
  {
    path: '/releases',
    label: 'Releases',
    icon: IconCertificate,
    key: 'r',
    words: 'requests approve quorum sign',
  },
  { path: '/rollouts', label: 'Rollouts', icon: IconRoute, key: 'l', words: 'canary deploy live guard' },
  { path: '/endpoints', label: 'Endpoints', icon: IconServer2, key: 'e', words: 'agents servers health' },
  { path: '/audit', label: 'Audit', icon: IconHistory, key: 'a', words: 'log verify chain export' },
  {
    path: '/settings',
    label: 'Settings',
    icon: IconSettings,
    key: 's',
    words: 'theme operators policy environments',
  },
];

/** The room a path lies in. */
export function roomOf(pathname: string): Room | undefined {
  return ROOMS.find((room) => pathname === room.path || pathname.startsWith(`${room.path}/`));
}

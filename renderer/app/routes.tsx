import { IconMapOff } from '@tabler/icons-react';
import { type ComponentType, lazy, type ReactNode, Suspense } from 'react';
import { createHashRouter, Link, Navigate, useLocation, useParams } from 'react-router';
import { Bars } from '../ui/loaded.tsx';
import { Empty, Page } from '../ui/page.tsx';
import { Gate } from './gate.tsx';

/** A page that is fetched when it is first opened: the first paint needs none of them. */
function page<K extends string>(load: () => Promise<Record<K, ComponentType>>, name: K): ReactNode {
  const Lazy: ComponentType = lazy(async () => ({ default: (await load())[name] as ComponentType }));
  return (
    <Suspense
      fallback={
        <div style={{ padding: 24 }}>
          <Bars rows={6} />
        </div>
      }
    >
      <Lazy />
    </Suspense>
  );
}

/** Old and foreign spellings of a path (`/requests/…` in a link of the overview) lead to the room. */
function Redirect({ to }: { readonly to: string }): ReactNode {
  const params = useParams();
  const { state } = useLocation();
  return <Navigate to={`${to}/${params['*'] ?? ''}`.replace(/\/$/, '')} replace state={state} />;
}

function Nowhere(): ReactNode {
  return (
    <Page title="No such page">
      <Empty
        icon={IconMapOff}
        title="There is nothing at this address"
        action={<Link to="/overview">Go to the overview</Link>}
      >
        The link may be of an older version of Sallyport.
      </Empty>
    </Page>
  );
}

export function createRouter(): ReturnType<typeof createHashRouter> {
  return createHashRouter([
    {
      element: <Gate />,
      children: [
        { path: '/', element: <Navigate to="/overview" replace /> },
        {
          path: '/overview',
          element: page(() => import('../features/overview/overview-page.tsx'), 'OverviewPage'),
        },
        { path: '/models', element: page(() => import('../features/models/models-page.tsx'), 'ModelsPage') },
        {
          path: '/models/compare',
          element: page(() => import('../features/models/diff-page.tsx'), 'DiffPage'),
        },
        {
          path: '/models/:name/:version',
          element: page(() => import('../features/models/version-page.tsx'), 'VersionPage'),
        },
        {
          path: '/validate',
          element: page(() => import('../features/validate/validate-page.tsx'), 'ValidatePage'),
        },
        {
          path: '/validate/:id',
          element: page(() => import('../features/validate/report-page.tsx'), 'ReportPage'),
        },
        {
          path: '/validate/:id/rows',
          element: page(() => import('../features/evidence/rows-page.tsx'), 'ValidationRowsPage'),
        },
        {
          path: '/compare',
          element: page(() => import('../features/compare/compare-page.tsx'), 'ComparePage'),
        },
        {
          path: '/compare/:id',
          element: page(() => import('../features/compare/comparison-page.tsx'), 'ComparisonPage'),
        },
        {
          path: '/compare/:id/rows',
          element: page(() => import('../features/evidence/rows-page.tsx'), 'ComparisonRowsPage'),
        },
        {
          path: '/releases',
          element: page(() => import('../features/releases/releases-page.tsx'), 'ReleasesPage'),
        },
        {
          path: '/releases/new',
          element: page(() => import('../features/releases/new-request-page.tsx'), 'NewRequestPage'),
        },
        {
          path: '/releases/:id',
          element: page(() => import('../features/releases/request-page.tsx'), 'RequestPage'),
        },
        {
          path: '/rollouts',
          element: page(() => import('../features/rollouts/rollouts-page.tsx'), 'RolloutsPage'),
        },
        {
          path: '/rollouts/:id',
          element: page(() => import('../features/rollouts/rollout-page.tsx'), 'RolloutPage'),
        },
        {
          path: '/endpoints',
          element: page(() => import('../features/endpoints/endpoints-page.tsx'), 'EndpointsPage'),
        },
        { path: '/audit', element: page(() => import('../features/audit/audit-page.tsx'), 'AuditPage') },
        {
          path: '/settings',
          element: page(() => import('../features/settings/settings-page.tsx'), 'SettingsPage'),
        },
        { path: '/requests/*', element: <Redirect to="/releases" /> },
        { path: '/validation/*', element: <Redirect to="/validate" /> },
        { path: '/comparison/*', element: <Redirect to="/compare" /> },
        { path: '/endpoints/*', element: <Navigate to="/endpoints" replace /> },
        { path: '*', element: <Nowhere /> },
      ],
    },
  ]);
}

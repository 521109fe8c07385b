import { MantineProvider } from '@mantine/core';
import { ModalsProvider } from '@mantine/modals';
import { Notifications } from '@mantine/notifications';
import { QueryClientProvider } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { RouterProvider } from 'react-router';
import { onEvent } from '../api/bridge.ts';
import { useLiveCache } from '../api/live.ts';
import { createQueryClient } from '../api/queries.ts';
import { ErrorBoundary } from './error-boundary.tsx';
import { createRouter } from './routes.tsx';
import { schemeManager, theme, variables } from './theme.tsx';

function Live({ children }: { readonly children: ReactNode }): ReactNode {
  useLiveCache();
  useEffect(
    () =>
      onEvent('appearance', ({ dark }) => {
        // The system changed while the window follows it; a choice made in Settings wins.
        if (schemeManager.get('auto') === 'auto')
          document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
      }),
    [],
  );
  return children;
}

/** The providers, from the outermost in: theme, last resort for errors, cache, dialogs, routes. */
export function App(): ReactNode {
  const [client] = useState(createQueryClient);
  const [router] = useState(createRouter);
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      colorSchemeManager={schemeManager}
      defaultColorScheme="auto"
    >
      <ErrorBoundary>
        <QueryClientProvider client={client}>
          <ModalsProvider>
            <Notifications position="bottom-right" limit={4} />
            <Live>
              <RouterProvider router={router} />
            </Live>
          </ModalsProvider>
        </QueryClientProvider>
      </ErrorBoundary>
    </MantineProvider>
  );
}

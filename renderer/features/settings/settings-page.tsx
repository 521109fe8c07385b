import { Tabs } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import { Page } from '../../ui/page.tsx';
import { EnvironmentsPanel } from './environments-panel.tsx';
import { AboutPanel, AppearancePanel } from './general.tsx';
import { OperatorsPanel } from './operators-panel.tsx';
import { RolesPanel } from './roles-panel.tsx';
import { VaultTab } from './vault-panel.tsx';

const TABS = ['general', 'vault', 'operators', 'roles', 'environments'] as const;

export function SettingsPage(): ReactNode {
  const [search, setSearch] = useSearchParams();
  const tab = TABS.find((candidate) => candidate === search.get('tab')) ?? 'general';
  return (
    <Page title="Settings">
      <Tabs
        value={tab}
        onChange={(value) =>
          setSearch(value === null || value === 'general' ? {} : { tab: value }, { replace: true })
        }
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="general">General</Tabs.Tab>
          <Tabs.Tab value="vault">Vault</Tabs.Tab>
          <Tabs.Tab value="operators">Operators</Tabs.Tab>
          <Tabs.Tab value="roles">Roles</Tabs.Tab>
          <Tabs.Tab value="environments">Environments and policy</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="general">
          <div style={{ display: 'grid', gap: 14, maxWidth: 860 }}>
            <AppearancePanel />
            <AboutPanel />
          </div>
        </Tabs.Panel>
        <Tabs.Panel value="vault">
          <VaultTab />
        </Tabs.Panel>
        <Tabs.Panel value="operators">
          <OperatorsPanel />
        </Tabs.Panel>
        <Tabs.Panel value="roles">
          <RolesPanel />
        </Tabs.Panel>
        <Tabs.Panel value="environments">
          <EnvironmentsPanel />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

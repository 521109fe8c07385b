import { SegmentedControl } from '@mantine/core';
import type { ReactNode } from 'react';
import { useSession } from '../../api/session.ts';
import { useAppearance } from '../../app/appearance.ts';
import { Facts, Panel } from '../../ui/page.tsx';

export function AppearancePanel(): ReactNode {
  const { choice, choose } = useAppearance();
  return (
    <Panel title="Appearance">
      <div style={{ display: 'flex', justifyContent: 'space-between', alignItems: 'center', gap: 16 }}>
        <span>
          Theme <span className="dim">of this window; remembered on this computer</span>
        </span>
        <SegmentedControl
          aria-label="Theme"
          w={260}
          value={choice}
          onChange={(value) => choose(value === 'dark' ? 'dark' : value === 'light' ? 'light' : 'auto')}
          data={[
            { value: 'auto', label: 'System' },
            { value: 'light', label: 'Light' },
            { value: 'dark', label: 'Dark' },
          ]}
        />
      </div>
    </Panel>
  );
}

export function AboutPanel(): ReactNode {
  const session = useSession();
  return (
    <Panel title="About">
      <Facts
        items={[
          ['Sallyport', session.version],
          ['Runs on', session.runtime],
          ['Network', 'none but the endpoints you add: no telemetry, no update check'],
          ['Licence', 'Apache-2.0'],
        ]}
      />
    </Panel>
  );
}

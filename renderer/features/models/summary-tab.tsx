import { Stack } from '@mantine/core';
import { type ReactNode, useMemo, useState } from 'react';
import type { OnnxValue } from '../../../shared/domain/onnx/summary.ts';
import type { VersionView } from '../../../shared/domain/view/views.ts';
import { useSession } from '../../api/session.ts';
import { HorizontalBars } from '../../charts/index.tsx';
import { formatBytes, formatCount, plural } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { Facts, Panel, SimpleTable, Stat, Stats } from '../../ui/page.tsx';
import { Tag } from '../../ui/status.tsx';
import { AliasesPanel } from './aliases-panel.tsx';
import { DescribeDialog } from './describe-dialog.tsx';
import { LineagePanel } from './lineage-panel.tsx';
import { formatType, topOperators } from './onnx-words.ts';
import { versionRefusal } from './version-refusal.ts';

function Values({
  title,
  values,
}: {
  readonly title: string;
  readonly values: readonly OnnxValue[];
}): ReactNode {
  return (
    <Panel title={title} flush>
      <SimpleTable
        label={title}
        columns={['Name', 'Type and shape']}
        rows={values.map((value) => ({
          key: value.name,
          cells: [
            <span key="n" className="mono" style={{ fontWeight: 500 }}>
              {value.name}
            </span>,
            <span key="t" className="mono dim">
              {formatType(value)}
            </span>,
          ],
        }))}
      />
    </Panel>
  );
}

const formatTick = (value: number): string => formatCount(value);

/** What the file is, as our own reader saw it, and what the person who added it said of it. */
export function SummaryTab({ view }: { readonly view: VersionView }): ReactNode {
  const { version } = view;
  const { onnx, metadata } = version;
  const { operator } = useSession();
  const [describing, setDescribing] = useState(false);
  const operators = useMemo(() => topOperators(onnx, 12), [onnx]);
  const said = (value: string | undefined): string | null =>
    value === undefined || value === '' ? null : value;
  return (
    <Stack gap={14}>
      <Stats>
        <Stat label="Parameters" value={formatCount(onnx.parameterCount)} />
        <Stat label="Nodes" value={formatCount(onnx.nodeCount)} note={`depth ${onnx.maxDepth}`} />
        <Stat label="Size" value={formatBytes(onnx.sizeBytes)} />
        <Stat
          label="Opset"
          value={onnx.opsets[0]?.version ?? '–'}
          note={onnx.opsets.map((opset) => opset.domain || 'ai.onnx').join(', ')}
        />
        <Stat label="Initializers" value={formatCount(onnx.initializerCount)} />
        <Stat label="Functions" value={formatCount(onnx.functionCount)} />
      </Stats>
      <div
        style={{
          display: 'grid',
          gridTemplateColumns: 'minmax(0, 1fr) minmax(0, 1fr)',
          gap: 14,
          alignItems: 'start',
        }}
      >
        <Stack gap={14}>
          <Values title="Inputs" values={onnx.inputs} />
          <Values title="Outputs" values={onnx.outputs} />
          <Panel title="Operators" note={`${plural(onnx.operators.length, 'kind')}, nested graphs included`}>
            <HorizontalBars
              label={`Operators: ${operators.map((item) => `${item.name} ${item.value}`).join(', ')}`}
              items={operators}
              format={formatTick}
              height={Math.max(90, operators.length * 26 + 30)}
            />
          </Panel>
        </Stack>
        <Stack gap={14}>
          <Panel
            title="About"
            actions={
              <GuardedButton
                variant="default"
                size="compact-sm"
                refusal={versionRefusal(view, 'describe', operator.roles)}
                onClick={() => setDescribing(true)}
              >
                Edit…
              </GuardedButton>
            }
          >
            <Facts
              items={[
                ['Description', said(metadata.description)],
                ['Owner', said(metadata.owner)],
                ['Licence', said(metadata.licence)],
                [
                  'May be deployed',
                  metadata.permittedToDeploy === undefined
                    ? 'not said'
                    : metadata.permittedToDeploy
                      ? 'yes'
                      : 'no',
                ],
                [
                  'Tags',
                  metadata.tags === undefined || metadata.tags.length === 0 ? null : (
                    <span key="t" style={{ display: 'flex', gap: 5, flexWrap: 'wrap' }}>
                      {metadata.tags.map((tag) => (
                        <Tag key={tag}>{tag}</Tag>
                      ))}
                    </span>
                  ),
                ],
                ['Producer', `${onnx.producerName} ${onnx.producerVersion}`.trim() || 'not said'],
                ['Graph', said(onnx.graphName)],
                ['IR version', onnx.irVersion],
                [
                  'Opsets',
                  onnx.opsets.map((opset) => `${opset.domain || 'ai.onnx'} ${opset.version}`).join(', '),
                ],
                ['Doc string', said(onnx.docString)],
              ]}
            />
          </Panel>
          <LineagePanel view={view} />
          <AliasesPanel view={view} />
          {metadata.trainingParameters === undefined && metadata.metrics === undefined ? null : (
            <Panel title="Training">
              <Facts
                items={[
                  ...Object.entries(metadata.trainingParameters ?? {}),
                  ...Object.entries(metadata.metrics ?? {}),
                ].map(
                  ([name, value]) =>
                    [
                      name,
                      <span key={name} className="mono">
                        {String(value)}
                      </span>,
                    ] as const,
                )}
              />
            </Panel>
          )}
          {Object.keys(onnx.metadata).length === 0 ? null : (
            <Panel title="Metadata in the file" note="as written by its producer: a claim, not evidence">
              <Facts
                items={Object.entries(onnx.metadata).map(
                  ([name, value]) =>
                    [
                      name,
                      <span
                        key={name}
                        className="mono"
                        // biome-ignore lint/a11y/noNoninteractiveTabindex: scroll container
                        tabIndex={0}
                        style={{ display: 'block', maxHeight: 120, overflow: 'auto' }}
                      >
                        {value}
                      </span>,
                    ] as const,
                )}
              />
            </Panel>
          )}
        </Stack>
      </div>
      <DescribeDialog view={view} opened={describing} onClose={() => setDescribing(false)} />
    </Stack>
  );
}

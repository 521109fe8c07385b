import { Button, NumberInput, SegmentedControl, Select, Stack, Switch } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { explainUnmappable, guessMapping } from '../../../shared/domain/model/guess-mapping.ts';
import type { OutputMapping } from '../../../shared/domain/model/version.ts';
import type { VersionView } from '../../../shared/domain/view/views.ts';
import { useAction } from '../../api/mutations.ts';
import { useSession } from '../../api/session.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { Callout, Facts, Panel } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { formatType } from './onnx-words.ts';
import { versionRefusal } from './version-refusal.ts';

const NONE = '';

/** What the form begins with: the mapping, else the domain's guess, else a blank one a person has to complete. */
function startOf(view: VersionView): OutputMapping {
  const { onnx, mapping } = view.version;
  return (
    mapping ??
    guessMapping(onnx) ?? {
      kind: 'classifier',
      input: onnx.inputs[0]?.name ?? '',
      labelOutput: null,
      scoreOutput: null,
      scoreColumn: 0,
      positiveLabel: 1,
      threshold: 0.5,
      lowerIsPositive: false,
    }
  );
}

/** Which output is the label, which the score, and what counts as malicious. Set once; every metric is read through it. */
export function MappingForm({ view }: { readonly view: VersionView }): ReactNode {
  const { operator } = useSession();
  const [mapping, setMapping] = useState(() => startOf(view));
  const set = (part: Partial<OutputMapping>): void => setMapping((former) => ({ ...former, ...part }));
  const save = useAction('models.setMapping', { done: () => 'The mapping is saved.', notifyProblem: false });
  const { onnx, name, version } = view.version;
  const refusal = versionRefusal(view, 'map', operator.roles);
  const outputs = [
    { value: NONE, label: 'none' },
    ...onnx.outputs.map((output) => ({ value: output.name, label: `${output.name}: ${formatType(output)}` })),
  ];
  const labelIsText =
    onnx.outputs.find(({ name: output }) => output === mapping.labelOutput)?.elementType === 'string';
  const textClasses = labelIsText && onnx.classes?.kind === 'text' ? onnx.classes.labels : null;
  const neither = mapping.labelOutput === null && mapping.scoreOutput === null;
  const changed = JSON.stringify(mapping) !== JSON.stringify(view.version.mapping);

  return (
    <div
      style={{
        display: 'grid',
        gridTemplateColumns: 'minmax(0, 3fr) minmax(260px, 2fr)',
        gap: 14,
        alignItems: 'start',
      }}
    >
      <Panel title="How the outputs are read">
        <Stack gap="sm">
          {view.version.mapping === null ? (
            <Callout tone="warn">
              {explainUnmappable(onnx)} Check this form and save it: nothing can be validated before.
            </Callout>
          ) : null}
          <SegmentedControl
            aria-label="Kind of detector"
            data={[
              { value: 'classifier', label: 'Classifier' },
              { value: 'anomaly', label: 'Anomaly detector' },
              { value: 'regression', label: 'Regression' },
            ]}
            value={mapping.kind}
            w={400}
            onChange={(kind) => set({ kind: kind as OutputMapping['kind'] })}
          />
          <Select
            label="Features go into"
            data={onnx.inputs.map((input) => ({
              value: input.name,
              label: `${input.name}: ${formatType(input)}`,
            }))}
            value={mapping.input}
            onChange={(input) => set({ input: input ?? mapping.input })}
            allowDeselect={false}
          />
          <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 12, alignItems: 'end' }}>
            <Select
              label="Label output"
              data={outputs}
              value={mapping.labelOutput ?? NONE}
              onChange={(value) => set({ labelOutput: value === NONE ? null : value })}
              allowDeselect={false}
            />
            <Select
              label="Score output"
              data={outputs}
              value={mapping.scoreOutput ?? NONE}
              onChange={(value) => set({ scoreOutput: value === NONE ? null : value })}
              allowDeselect={false}
            />
            {textClasses === null ? (
              <NumberInput
                label="Label that means malicious"
                value={mapping.positiveLabel}
                onChange={(value) => set({ positiveLabel: Number(value) })}
                allowDecimal={false}
              />
            ) : (
              <Select
                label="Class that means malicious"
                data={textClasses.map((label, place) => ({ value: String(place), label }))}
                value={String(mapping.positiveLabel)}
                onChange={(place) => set({ positiveLabel: Number(place) })}
                allowDeselect={false}
              />
            )}
            <NumberInput
              label="Score column"
              description="of a [N, C] score output"
              value={mapping.scoreColumn}
              onChange={(value) => set({ scoreColumn: Math.max(0, Number(value)) })}
              min={0}
              allowDecimal={false}
              disabled={mapping.scoreOutput === null}
            />
            <NumberInput
              label="Threshold"
              description="used where there is no label output"
              value={mapping.threshold}
              onChange={(value) => set({ threshold: Number(value) })}
              step={0.05}
              disabled={mapping.scoreOutput === null}
            />
          </div>
          <Switch
            size="xs"
            label="A lower score is more anomalous"
            checked={mapping.lowerIsPositive}
            onChange={(event) => set({ lowerIsPositive: event.currentTarget.checked })}
            disabled={mapping.scoreOutput === null}
          />
          {neither ? <Callout tone="bad">A detector needs a label output or a score output.</Callout> : null}
          {save.isError ? <Problem error={save.error} /> : null}
          <div style={{ display: 'flex', gap: 8 }}>
            <GuardedButton
              refusal={
                refusal ??
                (neither
                  ? 'Choose a label output or a score output.'
                  : changed
                    ? null
                    : 'Nothing has changed.')
              }
              loading={save.isPending}
              onClick={() => save.mutate({ name, version, mapping })}
            >
              Save the mapping
            </GuardedButton>
            {changed && view.version.mapping !== null ? (
              <Button variant="default" onClick={() => setMapping(startOf(view))}>
                Undo changes
              </Button>
            ) : null}
          </div>
        </Stack>
      </Panel>
      <Panel title="What this means">
        <Facts
          items={[
            [
              'A row is malicious when',
              mapping.kind === 'regression'
                ? 'never: the model answers a number'
                : mapping.labelOutput !== null
                  ? `${mapping.labelOutput} = ${textClasses?.[mapping.positiveLabel] ?? mapping.positiveLabel}`
                  : `${mapping.scoreOutput ?? 'score'} ${mapping.lowerIsPositive ? '≤' : '≥'} ${mapping.threshold}`,
            ],
            [
              'Curves and AUC from',
              mapping.scoreOutput === null
                ? 'not available: there is no score'
                : `${mapping.scoreOutput}, column ${mapping.scoreColumn}`,
            ],
            ['Ranking', mapping.lowerIsPositive ? 'lowest score first' : 'highest score first'],
          ]}
        />
      </Panel>
    </div>
  );
}

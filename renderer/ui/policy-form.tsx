// biome-ignore-all lint/suspicious/noArrayIndexKey: gates have no identity of their own
import {
  ActionIcon,
  Button,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  TagsInput,
  Textarea,
} from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { stringify } from 'yaml';
import {
  type Gate,
  type GateMetric,
  gateMetricSchema,
  type Policy,
} from '../../shared/domain/policy/policy.ts';
import { severitySchema } from '../../shared/domain/scan/finding.ts';
import { METRIC_LABELS } from './metrics.ts';
import { parsePolicy } from './policy-text.ts';

type Bound = 'min' | 'max' | 'maxRegression';
const BOUNDS: readonly { value: Bound; label: string }[] = [
  { value: 'min', label: 'at least' },
  { value: 'max', label: 'at most' },
  { value: 'maxRegression', label: 'worse than champion by at most' },
];

function boundOf(gate: Gate): Bound {
  return gate.min !== undefined ? 'min' : gate.max !== undefined ? 'max' : 'maxRegression';
}

/** A gate with one bound; the form writes one bound per gate and leaves what else the gate says. */
function gateOf(gate: Gate, metric: GateMetric, bound: Bound, limit: number): Gate {
  const { min: _min, max: _max, maxRegression: _regression, ...rest } = gate;
  return { ...rest, metric, [bound]: bound === 'maxRegression' ? Math.max(0, limit) : limit };
}

interface PolicyFormProps {
  readonly value: Policy;
  /** Called with null while the YAML text is no valid policy. */
  readonly onChange: (policy: Policy | null) => void;
  readonly readOnly?: boolean;
}

/** An environment's policy as a form, or as the YAML text that is signed. Both edit the same value. */
export function PolicyForm({ value, onChange, readOnly = false }: PolicyFormProps): ReactNode {
  const [mode, setMode] = useState<'form' | 'yaml'>('form');
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string | null>(null);
  const toMode = (next: string): void => {
    if (next === 'yaml') setText(stringify(value));
    setProblem(null);
    onChange(value);
    setMode(next === 'yaml' ? 'yaml' : 'form');
  };
  return (
    <Stack gap="sm">
      <SegmentedControl
        aria-label="How to edit"
        data={[
          { value: 'form', label: 'Form' },
          { value: 'yaml', label: 'YAML' },
        ]}
        value={mode}
        onChange={toMode}
        w={160}
      />
      {mode === 'yaml' ? (
        <Textarea
          aria-label="Policy as YAML"
          value={text}
          readOnly={readOnly}
          autosize
          minRows={12}
          maxRows={24}
          spellCheck={false}
          error={problem}
          styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)' } }}
          onChange={(event) => {
            setText(event.currentTarget.value);
            const parsed = parsePolicy(event.currentTarget.value);
            setProblem(parsed.problem);
            onChange(parsed.policy);
          }}
        />
      ) : (
        <Fields value={value} onChange={onChange} readOnly={readOnly} />
      )}
    </Stack>
  );
}

function Fields({
  value,
  onChange,
  readOnly,
}: {
  readonly value: Policy;
  readonly onChange: (policy: Policy) => void;
  readonly readOnly: boolean;
}): ReactNode {
  const set = (part: Partial<Policy>): void => onChange({ ...value, ...part });
  const setGate = (index: number, gate: Gate): void =>
    set({ gates: value.gates.map((former, at) => (at === index ? gate : former)) });
  const metrics = gateMetricSchema.options.map((metric) => ({ value: metric, label: METRIC_LABELS[metric] }));
  return (
    <Stack gap="sm">
      <fieldset style={{ border: 0, padding: 0, margin: 0 }} disabled={readOnly}>
        <legend style={{ fontWeight: 500, fontSize: '0.78125rem', padding: 0, marginBottom: 6 }}>
          Gates
        </legend>
        <Stack gap={6}>
          {value.gates.map((gate, index) => {
            const bound = boundOf(gate);
            const limit = gate[bound] ?? 0;
            return (
              <div
                key={index}
                style={{
                  display: 'grid',
                  gridTemplateColumns: 'minmax(140px, 1.2fr) minmax(150px, 1.4fr) 110px 26px',
                  gap: 8,
                  alignItems: 'center',
                }}
              >
                <Select
                  aria-label="Metric"
                  data={metrics}
                  value={gate.metric}
                  onChange={(metric) =>
                    setGate(index, gateOf(gate, gateMetricSchema.parse(metric ?? gate.metric), bound, limit))
                  }
                  allowDeselect={false}
                />
                <Select
                  aria-label="Bound"
                  data={[...BOUNDS]}
                  value={bound}
                  onChange={(next) =>
                    setGate(index, gateOf(gate, gate.metric, (next ?? bound) as Bound, limit))
                  }
                  allowDeselect={false}
                />
                <NumberInput
                  aria-label="Limit"
                  value={limit}
                  step={gate.metric.startsWith('latency') ? 1 : 0.01}
                  onChange={(next) => setGate(index, gateOf(gate, gate.metric, bound, Number(next)))}
                />
                <ActionIcon
                  aria-label={`Remove the gate on ${METRIC_LABELS[gate.metric]}`}
                  onClick={() => set({ gates: value.gates.filter((_, at) => at !== index) })}
                >
                  <IconTrash size={15} />
                </ActionIcon>
              </div>
            );
          })}
          <div>
            <Button
              variant="default"
              size="compact-xs"
              leftSection={<IconPlus size={13} />}
              onClick={() => set({ gates: [...value.gates, { metric: 'f1', min: 0.9 }] })}
            >
              Add a gate
            </Button>
          </div>
        </Stack>
      </fieldset>
      <fieldset
        style={{
          border: 0,
          padding: 0,
          margin: 0,
          display: 'grid',
          gridTemplateColumns: 'repeat(auto-fit, minmax(150px, 1fr))',
          gap: 12,
        }}
        disabled={readOnly}
      >
        <NumberInput
          label="Approvals needed"
          description="distinct people"
          value={value.quorum.approvals}
          min={1}
          max={20}
          allowDecimal={false}
          onChange={(next) => set({ quorum: { approvals: Math.max(1, Number(next)) } })}
        />
        <NumberInput
          label="Minimum rows"
          description="of labelled data"
          value={value.minimumRows}
          min={1}
          allowDecimal={false}
          thousandSeparator=","
          onChange={(next) => set({ minimumRows: Math.max(1, Number(next)) })}
        />
        <Select
          label="Worst finding allowed"
          description="anything above refuses"
          data={[...severitySchema.options]}
          value={value.maximumSeverity}
          onChange={(next) => set({ maximumSeverity: severitySchema.parse(next ?? value.maximumSeverity) })}
          allowDeselect={false}
        />
        <NumberInput
          label="Request stays open"
          description="hours to first activation"
          value={value.requestHours}
          min={1}
          max={8760}
          onChange={(next) => set({ requestHours: Math.max(1, Number(next)) })}
        />
      </fieldset>
      <TagsInput
        label="Datasets that count"
        description="SHA-256 of each; empty means any"
        value={[...value.datasets]}
        disabled={readOnly}
        onChange={(datasets) =>
          set({
            datasets: datasets
              .map((digest) => digest.replace(/^sha256:/, '').toLowerCase())
              .filter((digest) => /^[0-9a-f]{64}$/.test(digest)),
          })
        }
      />
    </Stack>
  );
}

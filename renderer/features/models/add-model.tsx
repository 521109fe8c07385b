import { Button, Group, Modal, Select, Stack, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { useNavigate } from 'react-router';
import type { ChannelOutput } from '../../../shared/contract/channels.ts';
import { modelNameSchema, semverSchema } from '../../../shared/domain/model/version.ts';
import { useJob } from '../../api/jobs.ts';
import { notifyDone } from '../../api/mutations.ts';
import { useCall } from '../../api/queries.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { FindingsList, ruleCount } from '../../ui/evidence.tsx';
import { fileName, formatBytes, formatCount, plural } from '../../ui/format.ts';
import { JobProgressBar } from '../../ui/job-progress.tsx';
import { Bars, Loaded } from '../../ui/loaded.tsx';
import { Callout, Facts, Panel } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { Digest, versionPath } from '../../ui/text.tsx';
import { guessRef } from './guess-ref.ts';
import { draftOf, readDraft } from './metadata-draft.ts';
import { MetadataFields } from './metadata-fields.tsx';
import { formatValue } from './onnx-words.ts';

type Inspection = ChannelOutput<'models.inspectFile'>;

/** Looks into a file before anything is stored, then asks what it is and adds it. `path` null = closed. */
export function AddModel({
  path,
  onClose,
}: {
  readonly path: string | null;
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Modal
      opened={path !== null}
      onClose={onClose}
      title={path === null ? 'Add a model' : `Add ${fileName(path)}`}
      size={980}
      closeOnClickOutside={false}
    >
      {path === null ? null : <Inspect key={path} path={path} onClose={onClose} />}
    </Modal>
  );
}

function Inspect({ path, onClose }: { readonly path: string; readonly onClose: () => void }): ReactNode {
  const query = useCall('models.inspectFile', { path });
  if (query.isError) {
    return (
      <Stack>
        <Problem error={query.error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
        </Group>
      </Stack>
    );
  }
  return (
    <Loaded query={query} skeleton={<Bars rows={8} />}>
      {(inspection) => (
        <div
          style={{
            display: 'grid',
            gridTemplateColumns: 'minmax(0, 1fr) minmax(0, 1fr)',
            gap: 20,
            alignItems: 'start',
          }}
        >
          <FileFacts inspection={inspection} />
          <AddForm path={path} inspection={inspection} onClose={onClose} />
        </div>
      )}
    </Loaded>
  );
}

function FileFacts({ inspection }: { readonly inspection: Inspection }): ReactNode {
  const { onnx } = inspection;
  return (
    <Stack gap="sm">
      <Panel title="What is in the file">
        <Facts
          items={[
            ['Digest', <Digest key="d" value={inspection.digest} />],
            ['Size', formatBytes(inspection.sizeBytes)],
            ['Producer', `${onnx.producerName} ${onnx.producerVersion}`.trim() || 'not said'],
            [
              'Opsets',
              onnx.opsets
                .map((opset) => `${opset.domain === '' ? 'ai.onnx' : opset.domain} ${opset.version}`)
                .join(', '),
            ],
            ['Nodes', `${formatCount(onnx.nodeCount)} of ${plural(onnx.operators.length, 'kind')}`],
            ['Parameters', formatCount(onnx.parameterCount)],
            [
              'Inputs',
              <span key="i" className="mono">
                {onnx.inputs.map(formatValue).join('\n')}
              </span>,
            ],
            [
              'Outputs',
              <span key="o" className="mono" style={{ whiteSpace: 'pre-line' }}>
                {onnx.outputs.map(formatValue).join('\n')}
              </span>,
            ],
            [
              'Mapping',
              inspection.mapping === null
                ? inspection.mappingProblem || 'to be set after adding'
                : `${inspection.mapping.kind}, guessed from the outputs`,
            ],
          ]}
        />
      </Panel>
      <Panel title="Scan" note={`${plural(ruleCount(inspection.rulesRun), 'rule')} ran`} flush>
        <FindingsList findings={inspection.findings} rulesRun={inspection.rulesRun} />
      </Panel>
    </Stack>
  );
}

function AddForm({
  path,
  inspection,
  onClose,
}: {
  readonly path: string;
  readonly inspection: Inspection;
  readonly onClose: () => void;
}): ReactNode {
  const guess = guessRef(path);
  const { operator } = useSession();
  const navigate = useNavigate();
  const [name, setName] = useState(guess.name);
  const [version, setVersion] = useState(guess.version);
  const [parent, setParent] = useState<string | null>(null);
  const [draft, setDraft] = useState(() => draftOf({ permittedToDeploy: true }));
  const siblings = useCall(
    'models.list',
    { text: `name:=${name}`, limit: 200, offset: 0 },
    { keepFormer: true, enabled: modelNameSchema.safeParse(name).success },
  );
  const job = useJob('models.add');

  const known = (siblings.data?.rows ?? []).filter((row) => row.name === name);
  const nameIssue = modelNameSchema.safeParse(name).error?.issues[0]?.message ?? null;
  const versionIssue = semverSchema.safeParse(version).error?.issues[0]?.message ?? null;
  const taken = known.some((row) => row.version === version && row.digest !== inspection.digest)
    ? `${name}@${version} exists with another digest. A version never changes: choose a new number.`
    : null;
  const read = readDraft(draft);
  const critical = inspection.findings.some((finding) => finding.severity === 'critical');
  const refusal = roleRefusal(operator.roles, 'model.add');
  const ready =
    nameIssue === null &&
    versionIssue === null &&
    taken === null &&
    read.metadata !== null &&
    !critical &&
    refusal === null;

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!ready || read.metadata === null) return;
    const added = await job.run({
      path,
      name,
      version,
      parent: known.some((row) => row.version === parent) ? parent : null,
      metadata: read.metadata,
    });
    if (added === null) return;
    notifyDone(`${name}@${version} is in the registry.`);
    await navigate(versionPath({ name, version }), { state: null });
  };

  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack gap="sm">
        <div style={{ display: 'grid', gridTemplateColumns: '2fr 1fr', gap: 12 }}>
          <TextInput
            label="Name"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={nameIssue}
            required
            withAsterisk={false}
            data-autofocus
            spellCheck={false}
          />
          <TextInput
            label="Version"
            value={version}
            onChange={(event) => setVersion(event.currentTarget.value)}
            error={versionIssue}
            required
            withAsterisk={false}
            spellCheck={false}
          />
        </div>
        <Select
          label="Parent version"
          placeholder={known.length === 0 ? 'First of its name' : 'None'}
          disabled={known.length === 0}
          data={known.map((row) => row.version)}
          value={parent}
          onChange={setParent}
          clearable
          searchable
        />
        <MetadataFields draft={draft} onChange={setDraft} issues={read.issues} />
        {taken === null ? null : <Callout tone="bad">{taken}</Callout>}
        {read.issues.other === null ? null : <Callout tone="bad">{read.issues.other}</Callout>}
        {critical ? (
          <Callout tone="bad">
            A critical finding refuses this file. It was not stored and has not been run.
          </Callout>
        ) : null}
        {refusal === null ? null : <Callout tone="warn">{refusal}</Callout>}
        {job.problem === null ? null : <Problem error={job.problem} />}
        {job.running ? (
          <JobProgressBar label="Adding" progress={job.progress} onCancel={job.cancel} unit="bytes" />
        ) : (
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={!ready}>
              Add to the registry
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}

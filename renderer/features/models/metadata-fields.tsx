import { Select, TagsInput, Textarea, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import type { MetadataDraft, ReadDraft } from './metadata-draft.ts';

const MONO = { input: { fontFamily: 'var(--mantine-font-family-monospace)' } };

interface MetadataFieldsProps {
  readonly draft: MetadataDraft;
  readonly onChange: (draft: MetadataDraft) => void;
  readonly issues: ReadDraft['issues'];
}

/** What a person says of a version, when it is added and whenever it is described anew. */
export function MetadataFields({ draft, onChange, issues }: MetadataFieldsProps): ReactNode {
  const set = (part: Partial<MetadataDraft>): void => onChange({ ...draft, ...part });
  return (
    <>
      <Textarea
        label="Description"
        value={draft.description}
        onChange={(event) => set({ description: event.currentTarget.value })}
        autosize
        minRows={2}
        maxRows={5}
      />
      <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: 12 }}>
        <TextInput
          label="Owner"
          value={draft.owner}
          onChange={(event) => set({ owner: event.currentTarget.value })}
        />
        <TextInput
          label="Licence"
          placeholder="Apache-2.0"
          value={draft.licence}
          onChange={(event) => set({ licence: event.currentTarget.value })}
        />
        <TextInput
          label="Training data"
          placeholder="sha256:… or a name"
          value={draft.datasetDigest}
          onChange={(event) => set({ datasetDigest: event.currentTarget.value })}
          spellCheck={false}
        />
        <TextInput
          label="Training code"
          placeholder="commit or address"
          value={draft.codeReference}
          onChange={(event) => set({ codeReference: event.currentTarget.value })}
          spellCheck={false}
        />
        <Textarea
          label="Training parameters"
          placeholder={'trees = 100\nmax_depth = 12'}
          value={draft.parameters}
          onChange={(event) => set({ parameters: event.currentTarget.value })}
          error={issues.parameters}
          autosize
          minRows={2}
          maxRows={6}
          spellCheck={false}
          styles={MONO}
        />
        <Textarea
          label="Figures its makers claim"
          placeholder={'auc = 0.98'}
          value={draft.metrics}
          onChange={(event) => set({ metrics: event.currentTarget.value })}
          error={issues.metrics}
          autosize
          minRows={2}
          maxRows={6}
          spellCheck={false}
          styles={MONO}
        />
        <TagsInput
          label="Tags"
          value={[...draft.tags]}
          onChange={(tags) => set({ tags })}
          placeholder={draft.tags.length === 0 ? 'Enter adds a tag' : ''}
        />
        <Select
          label="May be deployed"
          data={[
            { value: 'unsaid', label: 'not said' },
            { value: 'yes', label: 'yes' },
            { value: 'no', label: 'no: no release request can be made' },
          ]}
          value={draft.permitted === null ? 'unsaid' : draft.permitted ? 'yes' : 'no'}
          onChange={(value) => set({ permitted: value === 'unsaid' ? null : value === 'yes' })}
          allowDeselect={false}
        />
      </div>
    </>
  );
}

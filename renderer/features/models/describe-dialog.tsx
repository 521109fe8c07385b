import { Button, Group, Modal, Stack } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { formatRef } from '../../../shared/domain/model/version.ts';
import type { VersionView } from '../../../shared/domain/view/views.ts';
import { useAction } from '../../api/mutations.ts';
import { Callout } from '../../ui/page.tsx';
import { Problem } from '../../ui/problem.tsx';
import { draftOf, readDraft } from './metadata-draft.ts';
import { MetadataFields } from './metadata-fields.tsx';

/** Says anew what people say of a version; its bytes, digest, number and evidence stay. */
export function DescribeDialog({
  view,
  opened,
  onClose,
}: {
  readonly view: VersionView;
  readonly opened: boolean;
  readonly onClose: () => void;
}): ReactNode {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={`Describe ${formatRef(view.version)}`}
      size={720}
      closeOnClickOutside={false}
    >
      {opened ? <Form view={view} onClose={onClose} /> : null}
    </Modal>
  );
}

function Form({ view, onClose }: { readonly view: VersionView; readonly onClose: () => void }): ReactNode {
  const { name, version, metadata } = view.version;
  const [draft, setDraft] = useState(() => draftOf(metadata));
  const describe = useAction('models.describe', {
    done: () => `${name}@${version} is described anew; the log keeps what was said before.`,
    notifyProblem: false,
  });
  const read = readDraft(draft);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (read.metadata !== null)
      describe.mutate({ name, version, metadata: read.metadata }, { onSuccess: onClose });
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <MetadataFields draft={draft} onChange={setDraft} issues={read.issues} />
        {read.issues.other === null ? null : <Callout tone="bad">{read.issues.other}</Callout>}
        {describe.isError ? <Problem error={describe.error} /> : null}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={read.metadata === null} loading={describe.isPending}>
            Keep the description
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

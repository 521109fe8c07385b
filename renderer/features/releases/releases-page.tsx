import { IconCertificate, IconPlus } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { overallVerdict } from '../../../shared/domain/policy/evaluate.ts';
import type { RequestView } from '../../../shared/domain/view/views.ts';
import { useCall } from '../../api/queries.ts';
import { roleRefusal, useSession } from '../../api/session.ts';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { Bars, Loaded } from '../../ui/loaded.tsx';
import { Empty, Page } from '../../ui/page.tsx';
import { GateVerdict, RequestStatus } from '../../ui/status.tsx';
import { Ago, Truncated } from '../../ui/text.tsx';
import { approvalsOf, formatPlan } from './request-words.ts';

const COLUMNS: readonly Column<RequestView>[] = [
  {
    id: 'version',
    header: 'Version',
    width: 'minmax(150px, 2fr)',
    sortBy: ({ record }) => `${record.request.name}@${record.request.version}`,
    cell: ({ record }) => (
      <strong style={{ fontWeight: 500 }}>
        <Truncated>{`${record.request.name}@${record.request.version}`}</Truncated>
      </strong>
    ),
  },
  {
    id: 'environment',
    header: 'For',
    width: 'minmax(84px, 1fr)',
    sortBy: ({ record }) => record.environmentName,
    cell: ({ record }) => record.environmentName,
  },
  {
    id: 'state',
    header: 'State',
    width: '92px',
    sortBy: ({ record }) => record.state,
    cell: ({ record }) => <RequestStatus state={record.state} />,
  },
  {
    id: 'quorum',
    header: 'Approvals',
    width: '66px',
    align: 'right',
    sortBy: (view) => approvalsOf(view).length,
    cell: (view) => `${approvalsOf(view).length} of ${view.record.quorum}`,
  },
  {
    id: 'gates',
    header: 'Gates',
    width: '108px',
    sortBy: ({ dossier }) => Number(dossier.gates.every((gate) => gate.passed)),
    cell: ({ dossier }) => <GateVerdict verdict={overallVerdict(dossier.gates)} />,
  },
  {
    id: 'plan',
    header: 'Plan',
    width: 'minmax(130px, 1.4fr)',
    cell: ({ plan }) => <Truncated>{formatPlan(plan)}</Truncated>,
  },
  {
    id: 'serial',
    header: 'Serial',
    width: '44px',
    align: 'right',
    sortBy: ({ record }) => record.request.serial,
    cell: ({ record }) => record.request.serial,
  },
  {
    id: 'by',
    header: 'Submitted by',
    width: 'minmax(92px, 1fr)',
    sortBy: ({ record }) => record.request.submitter.person,
    cell: ({ record }) => <Truncated>{record.request.submitter.person}</Truncated>,
  },
  {
    id: 'when',
    header: 'When',
    width: '78px',
    align: 'right',
    sortBy: ({ record }) => Date.parse(record.createdAt),
    cell: ({ record }) => <Ago at={record.createdAt} />,
  },
];

export function ReleasesPage(): ReactNode {
  const { operator } = useSession();
  const navigate = useNavigate();
  const query = useCall('requests.list', {});
  const refusal = roleRefusal(operator.roles, 'request.submit');
  const submit = (
    <GuardedButton
      refusal={refusal}
      leftSection={<IconPlus size={15} />}
      onClick={() => void navigate('/releases/new')}
    >
      New request
    </GuardedButton>
  );
  return (
    <Page
      fill
      title="Releases"
      note="Nothing is deployed before a quorum of people has signed its evidence."
      actions={submit}
    >
      <Loaded query={query} skeleton={<Bars rows={8} height={30} />}>
        {(requests) => (
          <DataTable
            label="Release requests"
            columns={COLUMNS}
            rows={requests}
            rowKey={(view) => view.record.id}
            onOpen={(view) => void navigate(`/releases/${view.record.id}`)}
            empty={
              <Empty icon={IconCertificate} title="No release requests" action={submit}>
                A request freezes a validated version with its evidence, its policy and its rollout plan.
                Approvers sign exactly that.
              </Empty>
            }
          />
        )}
      </Loaded>
    </Page>
  );
}

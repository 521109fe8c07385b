import { Switch } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconArrowsDiff, IconArrowsExchange, IconEqual } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useSearchParams } from 'react-router';
import type { VersionDifference } from '../../../shared/domain/model/difference.ts';
import { formatRef, type VersionRef } from '../../../shared/domain/model/version.ts';
import { useCall } from '../../api/queries.ts';
import { plural } from '../../ui/format.ts';
import { GuardedButton } from '../../ui/guarded-button.tsx';
import { Loaded } from '../../ui/loaded.tsx';
import { Empty, Page, Panel } from '../../ui/page.tsx';
import { parseRef, VersionSelect } from '../../ui/pickers.tsx';
import styles from './diff-page.module.css';

/** Two versions' records side by side. Which two is in the address; whether only differences show is remembered. */
export function DiffPage(): ReactNode {
  const [search, setSearch] = useSearchParams();
  const [only, setOnly] = useLocalStorage({
    key: 'sallyport-only-differences',
    defaultValue: false,
    getInitialValueInEffect: false,
  });
  const a = parseRef(search.get('a') ?? '');
  const b = parseRef(search.get('b') ?? '');
  const choose = (left: VersionRef | null, right: VersionRef | null): void =>
    setSearch(
      {
        ...(left === null ? {} : { a: formatRef(left) }),
        ...(right === null ? {} : { b: formatRef(right) }),
      },
      { replace: true },
    );
  const any = (): boolean => true;
  return (
    <Page title="Compare versions" parent={{ to: '/models', label: 'Models' }}>
      <div className={styles.choice}>
        <VersionSelect label="Version" value={a} onChange={(ref) => choose(ref, b)} only={any} />
        <GuardedButton
          variant="default"
          refusal={a === null || b === null ? 'Choose two versions first.' : null}
          onClick={() => choose(b, a)}
          leftSection={<IconArrowsExchange size={15} />}
        >
          Swap
        </GuardedButton>
        <VersionSelect label="Compared with" value={b} onChange={(ref) => choose(a, ref)} only={any} />
        <Switch
          label="Only differences"
          checked={only}
          onChange={(event) => setOnly(event.currentTarget.checked)}
          mb={6}
        />
      </div>
      {a === null || b === null ? (
        <Panel>
          <Empty icon={IconArrowsDiff} title="Choose two versions">
            Every field of their records stands side by side: lineage, training, figures, interface,
            operators, findings and evidence. How they answer the same rows is under Compare.
          </Empty>
        </Panel>
      ) : (
        <Differences a={a} b={b} only={only} />
      )}
    </Page>
  );
}

function Differences({
  a,
  b,
  only,
}: {
  readonly a: VersionRef;
  readonly b: VersionRef;
  readonly only: boolean;
}): ReactNode {
  const query = useCall('models.diff', { a, b });
  return (
    <Loaded query={query}>
      {(rows) => {
        const differing = rows.filter((row) => row.differs).length;
        const shown = only ? rows.filter((row) => row.differs) : rows;
        return (
          <Panel
            title={differing === 0 ? 'No difference' : plural(differing, 'difference')}
            note={`in ${plural(rows.length, 'field')}`}
            flush
          >
            {shown.length === 0 ? (
              <Empty icon={IconEqual} title="The two records say the same">
                Not one field differs. Switch “Only differences” off to read them all.
              </Empty>
            ) : (
              <Table a={formatRef(a)} b={formatRef(b)} rows={shown} />
            )}
          </Panel>
        );
      }}
    </Loaded>
  );
}

function Table({
  a,
  b,
  rows,
}: {
  readonly a: string;
  readonly b: string;
  readonly rows: readonly VersionDifference[];
}): ReactNode {
  const groups = [...new Set(rows.map((row) => row.group))];
  const said = (value: string): ReactNode => (value === '' ? <span className="dim">not said</span> : value);
  return (
    <table className={styles.table} aria-label={`${a} and ${b}, field by field`}>
      <colgroup>
        <col style={{ width: '22%' }} />
        <col style={{ width: '39%' }} />
        <col style={{ width: '39%' }} />
      </colgroup>
      <thead>
        <tr>
          <th scope="col">Field</th>
          <th scope="col" title={a}>
            {a}
          </th>
          <th scope="col" title={b}>
            {b}
          </th>
        </tr>
      </thead>
      {groups.map((group) => (
        <tbody key={group}>
          <tr className={styles.group}>
            <th colSpan={3} scope="rowgroup">
              {group}
            </th>
          </tr>
          {rows
            .filter((row) => row.group === group)
            .map((row) => (
              <tr key={row.field} data-differs={row.differs || undefined}>
                <th scope="row">
                  {row.field}
                  {row.differs ? <span className={styles.sign}>differs</span> : null}
                </th>
                <td className="mono">{said(row.a)}</td>
                <td className="mono">{said(row.b)}</td>
              </tr>
            ))}
        </tbody>
      ))}
    </table>
  );
}

import { type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import type { VersionRef } from '../../../shared/domain/model/version.ts';
import { formatRef } from '../../../shared/domain/model/version.ts';
import type { VersionView } from '../../../shared/domain/view/views.ts';
import { useCall } from '../../api/queries.ts';
import { Facts, Panel } from '../../ui/page.tsx';
import { VersionStatus } from '../../ui/status.tsx';
import { VersionLink } from '../../ui/text.tsx';
import { diffPath } from './diff-path.ts';
import styles from './lineage-panel.module.css';

/** Ancestors shown at once; further ones on request. */
const GENERATIONS = 4;
const CHILDREN = 50;

/** Where a version comes from and what was made from it: one line, oldest first, this version marked. */
export function LineagePanel({ view }: { readonly view: VersionView }): ReactNode {
  const { version } = view;
  const { metadata } = version;
  const children = useCall(
    'models.list',
    { text: `name:=${version.name} parent:"${version.version}"`, limit: CHILDREN, offset: 0 },
    { enabled: view.children?.length !== 0 },
  );
  const said = (value: string | undefined): string | null =>
    value === undefined || value === '' ? null : value;
  return (
    <Panel title="Lineage">
      <ol className={styles.line} aria-label="Lineage, oldest first">
        {version.parent === null ? null : (
          <Ancestor of={{ name: version.name, version: version.parent }} left={GENERATIONS} />
        )}
        <li className={styles.step} data-here aria-current="true">
          <strong style={{ fontWeight: 600 }}>{formatRef(version)}</strong>
          {version.parent === null ? <span className="dim">first of its line</span> : null}
          {version.parent === null ? null : (
            <Link
              to={diffPath(formatRef({ name: version.name, version: version.parent }), formatRef(version))}
              className={styles.compare}
            >
              what changed
            </Link>
          )}
        </li>
        {(children.data?.rows ?? []).map((row) => (
          <li key={row.version} className={styles.step} data-child>
            <VersionLink of={row} />
            <VersionStatus state={row.state} />
          </li>
        ))}
        {children.data !== undefined && children.data.total > CHILDREN ? (
          <li className={styles.step} data-child>
            <span className="dim">{`and ${children.data.total - CHILDREN} more made from it`}</span>
          </li>
        ) : null}
      </ol>
      <Facts
        items={[
          ['Training data', said(metadata.datasetDigest) ?? 'not said'],
          ['Training code', said(metadata.codeReference) ?? 'not said'],
        ]}
      />
    </Panel>
  );
}

/** A version of the line and, before it, its own ancestors. */
function Ancestor({ of: ref, left }: { readonly of: VersionRef; readonly left: number }): ReactNode {
  const [more, setMore] = useState(false);
  const query = useCall('models.get', ref);
  const parent = query.data?.version.parent ?? null;
  return (
    <>
      {parent === null ? null : left > 1 || more ? (
        <Ancestor of={{ name: ref.name, version: parent }} left={left > 1 ? left - 1 : GENERATIONS} />
      ) : (
        <li className={styles.step}>
          <button type="button" className={styles.more} onClick={() => setMore(true)}>
            earlier ones
          </button>
        </li>
      )}
      <li className={styles.step}>
        <VersionLink of={ref} />
        {query.data === undefined ? (
          <span className="dim">{query.isError ? 'not in this vault' : ''}</span>
        ) : (
          <VersionStatus state={query.data.version.state} />
        )}
      </li>
    </>
  );
}

import { type ReactNode, useState } from 'react';
import { Link } from 'react-router';
import { formatRef } from '../../../shared/domain/model/version.ts';
import type { VersionView } from '../../../shared/domain/view/views.ts';
import { plural } from '../../ui/format.ts';
import { Facts, Panel } from '../../ui/page.tsx';
import { VersionLink } from '../../ui/text.tsx';
import { diffPath } from './diff-path.ts';
import styles from './lineage-panel.module.css';

/** Ancestors and descendants shown at once; further ones on request. */
const SHOWN = 6;

/** Where a version comes from and what was made from it: one line, oldest first, this version marked. */
export function LineagePanel({ view }: { readonly view: VersionView }): ReactNode {
  const [all, setAll] = useState(false);
  const { version } = view;
  const { name, metadata, parent } = version;
  // A parent may have been registered elsewhere: then it is named, though nothing is known of it here.
  const ancestors = view.ancestors ?? (parent === null ? [] : [parent]);
  const children = view.children ?? [];
  const hidden = all ? 0 : Math.max(0, ancestors.length - SHOWN) + Math.max(0, children.length - SHOWN);
  const said = (value: string | undefined): string | null =>
    value === undefined || value === '' ? null : value;
  return (
    <Panel title="Lineage">
      <ol className={styles.line} aria-label="Lineage, oldest first">
        {ancestors
          .slice(0, all ? undefined : SHOWN)
          .toReversed()
          .map((ancestor) => (
            <li key={ancestor} className={styles.step}>
              <VersionLink of={{ name, version: ancestor }} />
            </li>
          ))}
        <li className={styles.step} data-here aria-current="true">
          <strong style={{ fontWeight: 600 }}>{formatRef(version)}</strong>
          {parent === null ? (
            <span className="dim">first of its line</span>
          ) : (
            <Link
              to={diffPath(formatRef({ name, version: parent }), formatRef(version))}
              className={styles.compare}
            >
              what changed
            </Link>
          )}
        </li>
        {children.slice(0, all ? undefined : SHOWN).map((child) => (
          <li key={child} className={styles.step} data-child>
            <VersionLink of={{ name, version: child }} />
          </li>
        ))}
      </ol>
      {hidden === 0 ? null : (
        <button type="button" className={styles.more} onClick={() => setAll(true)}>
          {`Show ${plural(hidden, 'more version')}`}
        </button>
      )}
      <Facts
        items={[
          ['Training data', said(metadata.datasetDigest) ?? 'not said'],
          ['Training code', said(metadata.codeReference) ?? 'not said'],
        ]}
      />
    </Panel>
  );
}

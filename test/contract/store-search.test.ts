import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Store } from '../../electron/ports/stores.ts';
import type { EndpointStatus } from '../../shared/domain/endpoint/endpoint.ts';
import type { ModelVersion } from '../../shared/domain/model/version.ts';
import { naiveSearch, type Registered, registryOf } from '../support/naive-search.ts';
import { store, version } from '../support/store.ts';

const find = (opened: Store, text: string, limit = 1000, offset = 0): string[] =>
  opened.read.search({ text, limit, offset }).rows.map(({ name, version: number }) => `${name}@${number}`);

describe('search', () => {
  function filled(): Store {
    const opened = store();
    opened.transaction((tx) => {
      tx.insertVersion(
        version({
          name: 'phish-url',
          version: '1.0.0',
          metadata: {
            owner: 'Blue Team',
            tags: ['mail', '100%'],
            licence: 'Apache-2.0',
            description: 'Gradient boosted trees for Müller’s proxy log',
            codeReference: 'git:a94a8fe',
            trainingParameters: { depth: 12, optimizer: 'Adam', bootstrap: true },
            metrics: { auc: 0.97 },
          },
          state: 'validated',
          addedAt: '2026-01-31T23:59:59.999Z',
        }),
      );
      tx.insertVersion(
        version({
          name: 'phish-url',
          version: '1.1.0',
          parent: '1.0.0',
          metadata: { tags: ['mail', 'edge'], permittedToDeploy: false, metrics: { auc: 0.99 } },
          sizeBytes: 2_000_000,
          addedAt: '2026-02-01T00:00:00.000Z',
        }),
      );
      tx.insertVersion(
        version({
          name: 'dns_tunnel',
          version: '2.0.0',
          metadata: { owner: 'Red Team' },
          digest: 'b'.repeat(64),
          findings: [
            {
              ruleId: 'deep-nesting',
              severity: 'high',
              title: 'Nested too deep',
              where: '',
              detail: '',
              reference: 'CVE-1',
            },
          ],
        }),
      );
      tx.setAlias({ name: 'phish-url', alias: 'champion', version: '1.0.0' });
      tx.insertEnvironment({
        id: 'env-1',
        name: 'production',
        createdAt: '',
        policy: {
          version: 1,
          gates: [],
          minimumRows: 1,
          datasets: [],
          maximumSeverity: 'high',
          quorum: { approvals: 1 },
          requestHours: 1,
        },
      });
      tx.insertEndpoint({
        id: 'e1',
        name: 'edge-1',
        environmentId: 'env-1',
        kind: 'agent',
        adminUrl: 'https://a.invalid',
        predictUrl: 'https://b.invalid',
        fingerprint: 'c'.repeat(64),
        signingKeyPem: '',
        ageRecipient: '',
        addedAt: '',
      });
      tx.setStatus(serving('e1', 'dns_tunnel', 'b'.repeat(64)));
    });
    return opened;
  }

  test.each([
    ['', ['dns_tunnel@2.0.0', 'phish-url@1.1.0', 'phish-url@1.0.0']],
    ['phish', ['phish-url@1.1.0', 'phish-url@1.0.0']],
    ['PHISH edge', ['phish-url@1.1.0']],
    ['phish-url@1.1', ['phish-url@1.1.0']],
    ['team', ['dns_tunnel@2.0.0', 'phish-url@1.0.0']],
    ['tea', ['dns_tunnel@2.0.0', 'phish-url@1.0.0']],
    ['"tea"', []],
    ['"blue team"', ['phish-url@1.0.0']],
    ['muller boosted', ['phish-url@1.0.0']],
    ['champion', ['phish-url@1.0.0']],
    ['cve-1', ['dns_tunnel@2.0.0']],
    ['bootstrap', ['phish-url@1.0.0']],
    ['validated', ['phish-url@1.0.0']],
    ['state:draft', ['dns_tunnel@2.0.0', 'phish-url@1.1.0']],
    ['state:draft phish', ['phish-url@1.1.0']],
    ['-state:draft', ['phish-url@1.0.0']],
    ['-phish -state:validated', ['dns_tunnel@2.0.0']],
    ['name:tunn', ['dns_tunnel@2.0.0']],
    ['name:=phish-url', ['phish-url@1.1.0', 'phish-url@1.0.0']],
    ['name:=phish', []],
    ['name:url owner:blue', ['phish-url@1.0.0']],
    ['version:1.', ['phish-url@1.1.0', 'phish-url@1.0.0']],
    ['version:>=1.1', ['dns_tunnel@2.0.0', 'phish-url@1.1.0']],
    ['-version:1', ['dns_tunnel@2.0.0']],
    ['tag:mail', ['phish-url@1.1.0', 'phish-url@1.0.0']],
    ['tag:mai', []],
    ['tag:100%', ['phish-url@1.0.0']],
    ['owner:"blue team"', ['phish-url@1.0.0']],
    ['licence:apache', ['phish-url@1.0.0']],
    ['code:a94a8fe', ['phish-url@1.0.0']],
    ['alias:champion', ['phish-url@1.0.0']],
    ['parent:1.0.0', ['phish-url@1.1.0']],
    ['digest:sha256:bbbb', ['dns_tunnel@2.0.0']],
    ['metric.auc>0.98', ['phish-url@1.1.0']],
    ['metric.auc>=0.97 phish', ['phish-url@1.1.0', 'phish-url@1.0.0']],
    ['-metric.auc>0.98', ['dns_tunnel@2.0.0', 'phish-url@1.0.0']],
    ['param.depth=12', ['phish-url@1.0.0']],
    ['param.depth>12', []],
    ['param.optimizer=adam', ['phish-url@1.0.0']],
    ['param.bootstrap=true', ['phish-url@1.0.0']],
    ['finding:>=medium', ['dns_tunnel@2.0.0']],
    ['finding:none', ['phish-url@1.1.0', 'phish-url@1.0.0']],
    ['size:>1MB', ['phish-url@1.1.0']],
    ['added:2026-02 phish', ['phish-url@1.1.0']],
    ['added:<=2026-01-31', ['dns_tunnel@2.0.0', 'phish-url@1.0.0']],
    ['deployable:no', ['phish-url@1.1.0']],
    ['operator:gemm', ['dns_tunnel@2.0.0', 'phish-url@1.1.0', 'phish-url@1.0.0']],
    ['by:ada', ['dns_tunnel@2.0.0', 'phish-url@1.1.0', 'phish-url@1.0.0']],
    ['deployed:production', ['dns_tunnel@2.0.0']],
    ['deployed:edge-1', ['dns_tunnel@2.0.0']],
    ['deployed:no', ['phish-url@1.1.0', 'phish-url@1.0.0']],
    ['-deployed:yes name:phish', ['phish-url@1.1.0', 'phish-url@1.0.0']],
    [`' OR 1=1 --`, 'input.invalid'],
    ['"\' OR 1=1 --"', []],
  ])('%j finds %j', (text, found) => {
    const opened = filled();
    if (found === 'input.invalid') return expect(() => find(opened, text)).toThrow(/cannot be read/);
    expect(find(opened, text)).toEqual(found);
    expect(opened.read.search({ text, limit: 1, offset: 0 }).total).toBe(found.length);
  });

  test('what changes is found as it is now', () => {
    const opened = filled();
    const ref = { name: 'phish-url', version: '1.0.0' };
    opened.transaction((tx) => {
      tx.setAlias({ name: 'phish-url', alias: 'champion', version: '1.1.0' });
      tx.setState(ref, 'archived');
      tx.setMetadata(ref, { owner: 'Green', metrics: { f1: 0.5 }, trainingParameters: { depth: 3 } });
    });
    expect(find(opened, 'alias:champion')).toEqual(['phish-url@1.1.0']);
    expect(find(opened, 'champion')).toEqual(['phish-url@1.1.0']);
    expect(find(opened, 'state:validated')).toEqual([]);
    expect(find(opened, 'state:archived owner:green')).toEqual(['phish-url@1.0.0']);
    expect(find(opened, 'blue')).toEqual([]);
    expect(find(opened, 'metric.auc>0')).toEqual(['phish-url@1.1.0']);
    expect(find(opened, 'param.depth<5 metric.f1=0.5')).toEqual(['phish-url@1.0.0']);
    expect(opened.transaction((tx) => tx.removeAlias({ name: 'phish-url', alias: 'champion' }))).toBe(
      '1.1.0',
    );
    expect(find(opened, 'alias:champion')).toEqual([]);
    opened.transaction((tx) => tx.setStatus(serving('e1', 'phish-url', 'a'.repeat(64))));
    expect(find(opened, 'deployed:yes')).toEqual(['phish-url@1.1.0', 'phish-url@1.0.0']);
  });

  test('pages through everything once, newest first, with and without a query', () => {
    const opened = filled();
    for (const text of ['', 'team', 'size:>0']) {
      const all = find(opened, text);
      expect(all.flatMap((_, offset) => find(opened, text, 1, offset))).toEqual(all);
      expect(find(opened, text, 10, all.length)).toEqual([]);
    }
  });

  test('a change that is rolled back was never found', () => {
    const opened = filled();
    expect(() =>
      opened.transaction((tx) => {
        tx.insertVersion(version({ name: 'gone', metadata: { metrics: { auc: 1 } } }));
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(find(opened, 'gone')).toEqual([]);
    expect(find(opened, 'metric.auc=1')).toEqual([]);
    expect(opened.read.counts()).toMatchObject({ models: 2, versions: 3 });
  });
});

describe('search and a filter in memory', () => {
  function fill(opened: Store, registered: readonly Registered[]): void {
    opened.transaction((tx) => {
      for (const { version: one } of registered) tx.insertVersion(one);
      for (const { version: one, aliases } of registered)
        for (const alias of aliases) tx.setAlias({ name: one.name, alias, version: one.version });
    });
  }

  test('find the same, page by page, whatever is asked of whatever is there', () => {
    fc.assert(
      fc.property(
        registryOf(),
        fc.array(aQuery(), { minLength: 5, maxLength: 20 }),
        (registered, queries) => {
          const opened = store();
          fill(opened, registered);
          for (const text of queries) {
            const expected = naiveSearch(registered, text).map(refOf);
            expect(find(opened, text), text).toEqual(expected);
            expect(find(opened, text, 3, 2), text).toEqual(expected.slice(2, 5));
            expect(opened.read.search({ text, limit: 1, offset: 0 }).total, text).toBe(expected.length);
          }
          opened.close();
        },
      ),
      { numRuns: 40 },
    );
  });
});

const refOf = ({ name, version: number }: ModelVersion): string => `${name}@${number}`;

function aQuery(): fc.Arbitrary<string> {
  const term = fc.constantFrom(
    'alpha',
    'al',
    'beta',
    '"alpha"',
    'alpha-beta',
    'name:al',
    'name:=alpha-beta',
    'owner:"blue team"',
    'owner:blu',
    'tag:edge',
    'tag:mail',
    'alias:champion',
    'state:draft',
    'state:archived',
    'parent:1.0.0',
    'version:1',
    'version:>=1.2',
    'version:<1.2.0',
    'version:>1.2',
    'version:=1.2.0',
    'metric.auc>0.5',
    'metric.auc<=0.5',
    'metric.f1:0.25',
    'param.depth=3',
    'param.depth>3',
    'param.kind=gini',
    'finding:>=medium',
    'finding:none',
    'size:>1kB',
    'size:<=1000',
    'added:2026-02',
    'added:>2026-01-15',
    'deployable:no',
    'digest:0',
    'licence:mit',
  );
  return fc
    .array(fc.tuple(fc.boolean(), term), { maxLength: 4 })
    .map((terms) => terms.map(([negated, text]) => (negated ? `-${text}` : text)).join(' '));
}

function serving(endpointId: string, name: string, digest: string): EndpointStatus {
  return {
    endpointId,
    reachable: true,
    checkedAt: '',
    latencyMs: 1,
    problem: null,
    models: [
      {
        name,
        generation: 1,
        stable: { version: '9.9.9', digest, root: digest },
        canary: null,
        previous: null,
      },
    ],
  };
}

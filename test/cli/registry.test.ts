/** The registry and its evidence by command line: what is added, measured, compared, exported and withdrawn. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ComparisonReport, ValidationReport } from '../../shared/domain/metrics/report.ts';
import type { VersionView } from '../../shared/domain/view/views.ts';
import { type CliError, CliHome, type CliResult } from '../support/cli.ts';
import { LABELLED, MODEL, SAMPLE_DATA } from '../support/console.ts';

const sample = (version: string) => join(SAMPLE_DATA, `${MODEL}-${version}.onnx`);
const code = (result: CliResult) => result.json<CliError>().error.code;

let home: CliHome;
beforeAll(async () => {
  home = await CliHome.make();
});
afterAll(() => home.remove());

/** The tests are one story: each one stands on what the one before did. */
describe('the registry', () => {
  test('model add reads, scans, hashes and encrypts; the same file again changes nothing', async () => {
    const added = await home.data(
      'ana',
      'model',
      'add',
      sample('1.0.0'),
      '--name',
      MODEL,
      '--version',
      '1.0.0',
    );
    expect(added.code, added.stderr).toBe(0);
    const { version } = added.json<VersionView>();
    expect(version).toMatchObject({ name: MODEL, version: '1.0.0', state: 'draft', findings: [] });
    expect(version.mapping).not.toBeNull();
    const again = await home.as(
      'ana',
      'model',
      'add',
      sample('1.0.0'),
      '--name',
      MODEL,
      '--version',
      '1.0.0',
    );
    expect(again.code).toBe(0);
    const other = await home.data(
      'ana',
      'model',
      'add',
      sample('1.1.0'),
      '--name',
      MODEL,
      '--version',
      '1.0.0',
    );
    expect([other.code, code(other)]).toEqual([4, 'conflict']);
    const metadata = await home.file('metadata.json', JSON.stringify({ owner: 'SOC', tags: ['url'] }));
    const second = await home.data(
      'ana',
      'model',
      'add',
      sample('1.1.0'),
      '--name',
      MODEL,
      '--version',
      '1.1.0',
      '--parent',
      '1.0.0',
      '--metadata',
      metadata,
    );
    expect(second.json<VersionView>().version.metadata).toEqual({ owner: 'SOC', tags: ['url'] });
    const ben = await home.data(
      'ben',
      'model',
      'add',
      sample('1.2.0'),
      '--name',
      MODEL,
      '--version',
      '1.2.0',
    );
    expect([ben.code, code(ben)]).toEqual([4, 'refused.role']);
  });

  test('model list, show, scan, verify and export agree on the bytes', async () => {
    const list = await home.as('ben', 'model', 'list');
    expect(list.stdout.split('\n').filter((line) => line.startsWith(MODEL))).toHaveLength(2);
    const show = await home.as('ben', 'model', 'show', `${MODEL}@1.0.0`);
    expect(show.stdout).toMatch(/inputs\s+\S+ float/);
    const scan = await home.data('ana', 'model', 'scan', sample('1.1.0'));
    expect(scan.json()).toMatchObject({ findings: [] });
    expect((await home.as('ana', 'model', 'scan', `${MODEL}@1.1.0`)).stdout).toMatch(/rules ran, 0 findings/);
    expect((await home.data('ben', 'model', 'verify')).json()).toMatchObject({ checked: 2, bad: [] });
    const out = await home.data('ben', 'model', 'export', `${MODEL}@1.0.0`, '--out', home.directory);
    expect(out.code, out.stderr).toBe(0);
    expect(await readFile(out.json<{ path: string }>().path)).toEqual(await readFile(sample('1.0.0')));
    const twice = await home.data('ben', 'model', 'export', `${MODEL}@1.0.0`, '--out', home.directory);
    expect([twice.code, code(twice)]).toEqual([4, 'conflict']);
  });

  test('validate measures, judges by the environment’s policy, and writes a report that loads nothing', async () => {
    const report = home.path('validation.html');
    const args = ['validate', `${MODEL}@1.0.0`, '--data', LABELLED, '--label', 'label'];
    const done = await home.data('ana', ...args, '--for', 'production', '--report', report);
    expect(done.code, done.stderr).toBe(0);
    expect(done.json<ValidationReport>()).toMatchObject({ passed: true, dataset: { rows: 4000 } });
    const html = await readFile(report, 'utf8');
    expect(html).toContain('<svg');
    expect(html).not.toMatch(/<script|https?:\/\/(?!www\.w3\.org)/);
    // Taken names are refused before the work, not after it.
    const taken = await home.data('ana', ...args, '--report', report);
    expect([taken.code, code(taken)]).toEqual([2, 'usage']);

    const strict = await home.file(
      'strict.yaml',
      'version: 1\ngates: [{ metric: accuracy, min: 1 }]\nminimumRows: 1\ndatasets: []\nmaximumSeverity: high\nquorum: { approvals: 1 }\nrequestHours: 1\n',
    );
    const whatIf = await home.data('ana', ...args, '--policy', strict);
    // One document, although the gate's refusal is the exit code's reason: the report with its gates.
    expect(whatIf.code).toBe(4);
    expect(whatIf.json<ValidationReport>()).toMatchObject({ passed: false });
    expect(whatIf.stderr).toContain('accuracy');
    const both = await home.data('ana', ...args, '--policy', strict, '--for', 'production');
    expect(both.code).toBe(2);
    expect(
      (await home.data('ana', 'validate', `${MODEL}@1.1.0`, '--data', LABELLED, '--for', 'production')).code,
    ).toBe(0);
  });

  test('compare shows the rows on which two versions differ', async () => {
    const compared = await home.data(
      'ana',
      'compare',
      `${MODEL}@1.0.0`,
      `${MODEL}@1.1.0`,
      '--data',
      LABELLED,
      '--report',
      home.path('comparison.html'),
    );
    expect(compared.code, compared.stderr).toBe(0);
    const report = compared.json<ComparisonReport>();
    expect(report.disagreements).toBeGreaterThan(0);
    expect(report.disagreementRows).toHaveLength(Math.min(1000, report.disagreements));
    const text = await home.as(
      'ana',
      'compare',
      `${MODEL}@1.0.0`,
      `${MODEL}@1.1.0`,
      '--data',
      LABELLED,
      '--rows',
      '2',
    );
    expect(text.stdout).toMatch(/roc_auc\s+0\.\d{4}\s+0\.\d{4}\s+[+-]0\.\d{4}/);
    expect(text.stdout).toContain(`${report.disagreements} of 4000 rows differ`);
  });

  test('alias, archive and revoke are kept, and refuse what follows', async () => {
    const alias = await home.data('ben', 'model', 'alias', MODEL, 'challenger', '1.1.0');
    expect(alias.json<VersionView>().aliases).toContain('challenger');
    const added = await home.data(
      'ana',
      'model',
      'add',
      sample('1.2.0'),
      '--name',
      MODEL,
      '--version',
      '1.2.0',
    );
    expect(added.code, added.stderr).toBe(0);
    expect((await home.as('ana', 'model', 'archive', `${MODEL}@1.2.0`)).code).toBe(0);
    const refused = await home.data('ana', 'submit', `${MODEL}@1.2.0`, '--for', 'production');
    expect([refused.code, code(refused)]).toEqual([4, 'refused.state']);
    const revoked = await home.data(
      'ben',
      'model',
      'revoke',
      `${MODEL}@1.1.0`,
      '--reason',
      'trained on the wrong labels',
    );
    expect(revoked.json<VersionView>().version.state).toBe('revoked');
  });
});

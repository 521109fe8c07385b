import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { namedArtifacts } from '../../../electron/ports/named-artifacts.ts';
import type { RowQuery } from '../../../shared/domain/evidence/rows.ts';
import { labelledFile } from '../../../shared/domain/evidence/selection.ts';
import { validationReportSchema } from '../../../shared/domain/metrics/report.ts';
import { sha256 } from '../../support/engine-models.ts';
import { evidenceHome, HEADER, ROWS } from '../../support/evidence-home.ts';
import { actorWith } from '../../support/vault.ts';

const query = (kind: 'validation' | 'comparison', id: string, change: Partial<RowQuery> = {}): RowQuery => ({
  evidence: { kind, id },
  preset: 'all',
  slice: null,
  filter: null,
  order: 'row',
  limit: 100,
  offset: 0,
  ...change,
});

describe('the rows behind a report', () => {
  test('are those of the figure, and looking at them is in the log', async () => {
    const at = await evidenceHome();
    const { id } = await at.validate();
    const missed = await at.evidence.rows(at.admin, query('validation', id, { preset: 'false-negatives' }));
    expect(missed.rows.map(({ row, label, answers }) => [row, label, answers[0]?.predicted])).toEqual([
      [5, 1, 0],
    ]);
    expect(missed.columns).toContain('url');
    expect(missed.rows[0]?.cells).toContain('http://e.example');
    const web = await at.evidence.rows(
      at.admin,
      query('validation', id, { filter: "kind = 'web' AND label = 1" }),
    );
    expect(web.total).toBe(3);
    expect(at.entries()[0]).toMatchObject({
      action: 'rows.viewed',
      subject: 'phish@1.0.0',
      details: { validation: id, rows: 3 },
    });
    const { id: pair } = await at.compare();
    const mended = await at.evidence.rows(at.admin, query('comparison', pair, { preset: 'fixed' }));
    expect(mended.rows.map(({ row }) => row)).toEqual([2]);
  });

  test('carry what an analyst says of them until that is taken back', async () => {
    const at = await evidenceHome();
    const { id } = await at.validate();
    const evidence = { kind: 'validation' as const, id };
    const label = { evidence, row: 2, verdict: 'malicious' as const, note: 'seen in the wild' };
    await expect(at.evidence.labelRow(actorWith('auditor'), label)).rejects.toMatchObject({
      code: 'refused.role',
    });
    expect(await at.evidence.labelRow(at.admin, label)).toMatchObject({ row: 2, by: 'ada' });
    expect(at.entries()[0]).toMatchObject({
      action: 'rows.labelled',
      details: { row: 2, verdict: 'malicious' },
    });
    const shown = await at.evidence.rows(at.admin, query('validation', id));
    expect(shown.rows.map(({ verdict }) => verdict?.note ?? null)).toEqual([
      null,
      'seen in the wild',
      null,
      null,
      null,
    ]);
    const file = join(at.folder, 'rows.csv');
    const { limit: _l, offset: _o, ...all } = query('validation', id);
    expect(await at.evidence.exportRows(at.admin, { ...all, path: file, format: 'csv' })).toMatchObject({
      rows: 5,
    });
    expect(readFileSync(file, 'utf8')).toContain('seen in the wild');
    expect(at.entries()[0]).toMatchObject({ action: 'rows.exported', details: { rows: 5, format: 'csv' } });
    await expect(
      at.evidence.exportRows(at.admin, { ...all, path: file, format: 'csv' }),
    ).rejects.toMatchObject({ code: 'conflict' });
    expect(await at.evidence.labelRow(at.admin, { ...label, verdict: null })).toBeNull();
    expect(at.store.read.rowLabels(evidence)).toEqual([]);
    await expect(at.evidence.labelRow(at.admin, { ...label, row: 6 })).rejects.toMatchObject({
      code: 'input.invalid',
    });
  });

  test('are found again where the file is said to be now, and in no other file', async () => {
    const at = await evidenceHome();
    const { id, dataset } = await at.validate();
    expect(at.datasets.list(at.admin)).toMatchObject([
      { digest: dataset.digest, path: at.path, rows: 5, format: 'csv', registeredBy: 'ada' },
    ]);
    const moved = join(at.folder, 'moved.csv');
    renameSync(at.path, moved);
    const look = () => at.evidence.rows(at.admin, query('validation', id));
    await expect(look()).rejects.toMatchObject({
      code: 'not-found',
      facts: { dataset: dataset.digest, moved: true },
    });
    // Another file in its place is not it.
    writeFileSync(at.path, `${[HEADER, ...ROWS.toReversed()].join('\n')}\n`);
    await expect(look()).rejects.toMatchObject({ code: 'not-found', facts: { moved: true } });
    const { digest } = dataset;
    await expect(at.evidence.locate(at.admin, { digest, path: at.path })).rejects.toMatchObject({
      code: 'dataset.invalid',
    });
    expect(await at.evidence.locate(at.admin, { digest, path: moved })).toMatchObject({ path: moved });
    expect(at.entries()[0]).toMatchObject({ action: 'dataset.registered' });
    expect((await look()).total).toBe(5);
  });

  test('stay with the report: their answers are no orphan of the store', async () => {
    const at = await evidenceHome();
    const { rowsArtifact } = await at.validate();
    expect(namedArtifacts(at.store.read).map(({ artifactId }) => artifactId)).toContain(
      rowsArtifact?.artifactId,
    );
  });
});

test('data is looked at before a run: columns, first rows, labels, and how they meet the model', async () => {
  const at = await evidenceHome();
  const look = (filter: string | null) =>
    at.evidence.inspect(at.admin, { path: at.path, ref: at.ref('1.0.0'), filter });
  expect(await look(null)).toMatchObject({
    format: 'csv',
    rows: 5,
    labelColumn: 'label',
    labelValues: ['0', '1'],
    filterProblem: null,
  });
  expect((await look("kind = 'web'")).rows).toBe(3);
  expect((await look("kind = 'web'")).sample[0]).toContain('http://c.example');
  expect((await look('nosuch > 1')).filterProblem).toMatch(/nosuch/);
  await expect(
    at.evidence.inspect(at.admin, { path: `${at.path}.gone`, ref: null, filter: null }),
  ).rejects.toMatchObject({ code: 'not-found' });
});

test('a report is written as page and as data, once; PDF needs somebody who prints', async () => {
  const at = await evidenceHome();
  const report = await at.validate();
  const evidence = { kind: 'validation' as const, id: report.id };
  const json = join(at.folder, 'report.json');
  await at.evidence.exportReport(at.admin, { evidence, path: json, format: 'json' });
  expect(validationReportSchema.parse(JSON.parse(readFileSync(json, 'utf8')))).toEqual(report);
  expect(at.entries()[0]).toMatchObject({ action: 'report.exported', details: { format: 'json' } });
  await expect(
    at.evidence.exportReport(at.admin, { evidence, path: json, format: 'json' }),
  ).rejects.toMatchObject({
    code: 'conflict',
  });
  const pdf = join(at.folder, 'report.pdf');
  await expect(
    at.evidence.exportReport(at.admin, { evidence, path: pdf, format: 'pdf' }),
  ).rejects.toMatchObject({
    code: 'usage',
  });
  expect(existsSync(pdf)).toBe(false);
  const print = async (html: string) => new TextEncoder().encode(`printed ${html.length > 1000}`);
  await at.evidence.exportReport(at.admin, { evidence, path: pdf, format: 'pdf' }, print);
  expect(readFileSync(pdf, 'utf8')).toBe('printed true');
});

describe('what later data is held against', () => {
  test('is the profile of the whole labelled data, and not of a part or of data without truth', async () => {
    const at = await evidenceHome();
    const data = labelledFile(at.path);
    await at.validate({ data: { ...data, filter: "kind = 'web'" } });
    await at.validate({ data: { ...data, labelled: false } });
    expect(at.store.read.profile(at.ref('1.0.0'))).toBeNull();
    await expect(at.validate({ driftAgainst: at.ref('1.0.0') })).rejects.toMatchObject({ code: 'not-found' });
    const whole = await at.validate();
    expect(at.store.read.profile(at.ref('1.0.0'))).toMatchObject({
      reportId: whole.id,
      profile: { rows: 5 },
    });
    // What-if runs leave it as it is.
    await at.validate();
    expect(at.store.read.profile(at.ref('1.0.0'))?.reportId).toBe(whole.id);
    const later = await at.validate({ driftAgainst: at.ref('1.0.0') });
    expect(later.drift?.reference).toMatchObject({ ref: at.ref('1.0.0'), rows: 5 });
  });
});

test('columns that were mapped by hand are remembered for the model, as long as the file has them', async () => {
  const at = await evidenceHome();
  const renamed = join(at.folder, 'renamed.csv');
  writeFileSync(renamed, `${[HEADER.replace('f0', 'first'), ...ROWS].join('\n')}\n`);
  expect(at.store.read.columnMapping('phish')).toBeNull();
  const columns = { f0: 'first', f1: 'f1', f2: 'f2' };
  await at.validate({ data: { ...labelledFile(renamed), columns } });
  expect(at.store.read.columnMapping('phish')).toEqual(columns);
  // A file without that column is read by its own names.
  expect((await at.validate()).dataset.digest).toBe(sha256(readFileSync(at.path)));
});

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { labelledFile } from '../../shared/domain/evidence/selection.ts';
import type { ValidationReport } from '../../shared/domain/metrics/report.ts';
import {
  consoleFactory,
  LABELLED,
  MODEL,
  makeWorkspace,
  QUIET,
  SAMPLE_DATA,
  signIn,
  VAULT_PASSPHRASE,
} from '../support/console.ts';
import { temporaryDirectory } from '../support/temp.ts';

/** Answers are stored every million rows at the latest. */
const ROWS = 1_050_000;

/** The sample's rows over and over. */
async function largeFile(path: string): Promise<void> {
  const [header = '', ...rows] = readFileSync(LABELLED, 'utf8').trimEnd().split('\n');
  const out = createWriteStream(path);
  out.write(`${header}\n`);
  const block = `${rows.join('\n')}\n`;
  for (let written = 0; written < ROWS; written += rows.length)
    if (!out.write(block)) await once(out, 'drain');
  out.end();
  await once(out, 'finish');
}

/** What of a report is measured; times are not. */
function figures({
  metrics,
  intervals,
  slices,
  sweep,
  reliability,
  roc,
  outputFindings,
  dataset,
  rowsArtifact,
}: ValidationReport) {
  const { digest, rows } = dataset;
  return {
    metrics,
    intervals,
    slices,
    sweep,
    reliability,
    roc,
    outputFindings,
    digest,
    rows,
    answers: rowsArtifact?.digest,
  };
}

test('a run killed on its way goes on after the next start, and its report is that of one never interrupted', async () => {
  const folder = temporaryDirectory();
  const { vault } = await makeWorkspace(folder);
  const data = join(folder, 'large.csv');
  await largeFile(data);
  const factory = consoleFactory();
  const before = await factory.open(vault, VAULT_PASSPHRASE);
  const model = { path: join(SAMPLE_DATA, `${MODEL}-1.0.0.onnx`), name: MODEL, version: '1.0.0' };
  await before.services.models.add(
    await signIn(before, 'ana'),
    { ...model, parent: null, metadata: {} },
    QUIET,
  );
  await before.close();

  const child = fork(join(import.meta.dirname, 'resume-child.ts'), [vault, data], { stdio: 'ignore' });
  const [, signal] = (await once(child, 'exit')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');

  const opened = await factory.open(vault, VAULT_PASSPHRASE);
  try {
    const { services } = opened;
    const ana = await signIn(opened, 'ana');
    const [unfinished, ...more] = services.evidence.unfinished(ana);
    expect(more).toEqual([]);
    expect(unfinished?.rowsDone).toBeGreaterThan(0);
    expect(unfinished?.rowsDone).toBeLessThan(ROWS + 10_000);
    const { id } = await services.evidence.resume(ana, { id: unfinished?.id ?? '' }, QUIET);
    const resumed = services.validation.get(ana, { id });
    const whole = await services.validation.run(
      ana,
      { name: MODEL, version: '1.0.0', data: labelledFile(data), environmentId: null, policy: null },
      QUIET,
    );
    expect(figures(resumed)).toEqual(figures(whole));
    expect(services.evidence.unfinished(ana)).toEqual([]);
    expect(opened.vault.store.read.evidenceArtifacts()).toHaveLength(2);
  } finally {
    await opened.close();
  }
}, 180_000);

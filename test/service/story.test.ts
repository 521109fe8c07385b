/** The story that `demo` plays: it ends well as told, and differently when the guard is taken away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { renderStoryReport } from '../../electron/sample/report.ts';
import { playStory, type StoryFailed, type StoryLine } from '../../electron/sample/story.ts';
import { readSample } from '../../electron/sample/workspace.ts';
import { consoleFactory } from '../support/console.ts';

/** Requests a second: a canary at 10 % has its 500 pairs after about 13 s. */
const RATE = 400;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sallyport-story-'));
});
afterEach(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));

function play(guards: Parameters<typeof playStory>[0]['guards'], lines: StoryLine[]) {
  return playStory({
    factory: consoleFactory({ pollMs: 250 }),
    directory: join(folder, 'workspace'),
    requestsPerSecond: RATE,
    guards,
    onLine: (line) => lines.push(line),
  });
}

describe('the story of two releases', { timeout: 240_000 }, () => {
  test('ends well: one went out, one was rolled back by its guard, no request failed, the log proves it', async () => {
    const lines: StoryLine[] = [];
    const story = await play({}, lines);
    expect(story.lines).toEqual(lines);
    expect(lines.map((line) => line.step)).toEqual([
      ...['vault', 'models', 'models', 'models', 'agent', 'tamper'],
      ...['validate', 'approve', 'deploy'],
      ...['validate', 'compare', 'approve', 'deploy'],
      ...['validate', 'compare', 'approve', 'deploy'],
      ...['serve', 'rollback', 'audit'],
    ]);
    expect(story.rollouts.map(({ state }) => [state.version, state.phase])).toEqual([
      ['1.0.0', 'completed'],
      ['1.1.0', 'completed'],
      ['1.2.0', 'rolled-back'],
    ]);
    const caught = story.rollouts[2]?.state.verdicts.at(-1)?.measurements.find((m) => m.outcome === 'breach');
    expect(caught?.guard).toBe('disagreement');
    expect(caught?.samples).toBeGreaterThanOrEqual(500);
    // 1.2.0 looks better on the rows it is judged by: the evidence alone would have let it out.
    const auc = story.validations.map((report) => report.metrics.roc_auc ?? 0);
    expect(auc[2]).toBeGreaterThan(auc[1] ?? 1);

    const file = await readSample(join(folder, 'workspace'));
    const secrets = [
      file?.vaultPassphrase,
      file?.agent?.token,
      ...(file?.operators ?? []).map((o) => o.passphrase),
    ];
    const told = JSON.stringify(lines) + renderStoryReport(story);
    for (const secret of secrets) expect(told).not.toContain(secret);
  });

  test('fails without the disagreement guard: nothing else sees what 1.2.0 is blind to', async () => {
    const lines: StoryLine[] = [];
    const failed = await play({ maxDisagreement: null }, lines).then(
      () => null,
      (error: StoryFailed) => error,
    );
    expect(failed).toMatchObject({ step: 'guard' });
    expect(failed?.message).toContain('completed');
    expect(lines.at(-1)).toMatchObject({
      step: 'deploy',
      figure: expect.stringContaining('1.2.0: completed') as string,
    });
  });
});

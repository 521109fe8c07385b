/** A short run of what `npm run crash` does at length: every step once, then random moments. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryDirectory } from '../support/temp.ts';
import { momentText, planRuns, problemsOf, runHarness } from './harness/harness.ts';
import { OPERATIONS } from './harness/operations.ts';
import { peerFigures } from './peer/peer.ts';

const RUNS = 50;
/** A deadline against a hang on a busy machine. */
const DEADLINE_MS = 600_000;

describe('the program, killed with SIGKILL', () => {
  test(
    `at each of its steps and at random, ${RUNS} times: nothing acknowledged is lost, nothing is half there`,
    async () => {
      const { outcomes, points } = await runHarness({
        runs: RUNS,
        seed: 7,
        directory: temporaryDirectory(),
      });
      const wrong = outcomes.flatMap((outcome) =>
        problemsOf(outcome).map(
          (problem) =>
            `run ${outcome.index}, ${outcome.operation} at ${momentText(outcome.moment)}: ${problem}`,
        ),
      );
      expect(wrong).toEqual([]);
      const killedAt = new Set(
        outcomes.flatMap(({ moment, killed }) => (killed && 'point' in moment ? [moment.point] : [])),
      );
      // A step that no kill hits any more is a step whose test was lost.
      expect([...new Set([...points.values()].flat())].filter((point) => !killedAt.has(point))).toEqual([]);
      expect(outcomes.filter(({ killed }) => killed).length).toBeGreaterThan(RUNS * 0.7);
      expect(outcomes).toHaveLength(RUNS);
    },
    DEADLINE_MS,
  );

  test('at the same moments for the same seed', () => {
    const surveys = OPERATIONS.map((operation) => ({ operation, points: ['a', 'b', 'a'], ms: 100 }));
    const plan = (seed: number) =>
      planRuns(surveys, 50, seed).map(({ operation, moment }) => [operation.name, moment]);
    expect(plan(3)).toEqual(plan(3));
    expect(plan(3)).not.toEqual(plan(4));
  });
});

describe('the usual registry in one JSON file', () => {
  test('loses what two processes register at once, which is how the harness is known to notice', async () => {
    const directory = join(temporaryDirectory(), 'peer');
    mkdirSync(directory);
    const figures = await peerFigures(directory, 1, 0);
    expect(figures.kept).toBeLessThan(figures.registered);
  });
});

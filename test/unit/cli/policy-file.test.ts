import { describe, expect, test } from 'vitest';
import { parsePolicyText } from '../../../electron/cli/policy-file.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';

const GOOD = `version: 1
gates:
  - metric: recall
    min: 0.9
minimumRows: 100
datasets: []
maximumSeverity: medium
quorum: {approvals: 2}
requestHours: 24
`;

function problemOf(text: string): { message: string; line: unknown; column: unknown } {
  try {
    parsePolicyText(text, 'policy.yaml');
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error;
    expect(error.code).toBe('usage');
    return { message: error.message, line: error.facts.line, column: error.facts.column };
  }
  throw new Error('it was taken');
}

test('a policy is read', () => {
  expect(parsePolicyText(GOOD, 'policy.yaml')).toMatchObject({ minimumRows: 100, gates: [{ min: 0.9 }] });
});

describe('what is wrong with a policy is told by line and column', () => {
  test.each([
    ['a key that is none', GOOD.replace('min:', 'minn:'), 4, 5, /minn/],
    ['a value of another type', GOOD.replace('100', 'many'), 5, 14, /minimumRows/],
    ['a metric that is none', GOOD.replace('recall', 'recal'), 3, 13, /gates\.0\.metric/],
    ['a key that is missing', GOOD.replace('requestHours: 24\n', ''), 1, 1, /requestHours/],
    ['text that is no YAML', GOOD.replace('[]', '[}'), 6, 12, /policy\.yaml:6:12/],
    ['a key given twice', `${GOOD}version: 1\n`, 10, 1, /unique/],
  ])('%s', (_, text, line, column, words) => {
    const problem = problemOf(text);
    expect(problem).toMatchObject({ line, column });
    expect(problem.message).toMatch(words);
    expect(problem.message).toContain(`policy.yaml:${line}:${column}: `);
  });

  test('aliases that would unfold without end are refused', () => {
    expect(problemOf('a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n').message).toMatch(/policy\.yaml/);
  });
});

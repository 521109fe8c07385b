import type { SallyportError } from '../../shared/domain/errors.ts';

/** What a command of the command line is in the window. The first that fits counts. */
const STEPS: readonly (readonly [RegExp, string])[] = [
  [/sallyport audit verify/, 'Verify the log in Audit; if it was edited, restore the vault from a backup.'],
  [/sallyport recover/, 'Lock the vault and use its recovery key.'],
  [/sallyport init/, 'Create a vault, or start Sallyport with the folder of an existing one.'],
  [/sallyport model/, 'Go to Models to see what is there.'],
  [/sallyport request/, 'Go to Releases to see what is there.'],
  [/sallyport environment/, 'Go to Settings to see which environments there are.'],
  [/sallyport rollout/, 'Go to Rollouts to see what is there.'],
  [/sallyport endpoint/, 'Go to Endpoints to see or add one.'],
  [/sallyport (validate|compare)/, 'Go to Validate and run it on labelled data for this environment.'],
  [/sallyport operator/, 'Go to Settings to see the operators.'],
];

/** A sentence that is for the command line. */
const COMMAND = /\bsallyport |\bRun: /;

/**
 * The hint of a problem as the window gives it: a sentence that names a command is replaced by the window's own next
 * step, or left out where there is none; what was kept is said as it is.
 */
export function windowHint(problem: Pick<SallyportError, 'hint'>): string | undefined {
  const { hint } = problem;
  if (hint === undefined || !COMMAND.test(hint)) return hint;
  const sentences = hint.split(/(?<=\.)\s+(?=[A-Z])/).map((sentence) => {
    if (!COMMAND.test(sentence)) return sentence;
    return STEPS.find(([command]) => command.test(sentence))?.[1] ?? '';
  });
  const said = sentences.filter((sentence) => sentence !== '').join(' ');
  return said === '' ? undefined : said;
}

/** A headline and the technical rest of a message such as `This file is not an ONNX model: …`. */
export function splitMessage(problem: Pick<SallyportError, 'code' | 'message'>): readonly [string, string] {
  const at = problem.message.indexOf(': ');
  if (at < 0 || !problem.code.startsWith('model.')) return [problem.message, ''];
  const rest = problem.message.slice(at + 2);
  return [`${problem.message.slice(0, at)}.`, `${rest.slice(0, 1).toUpperCase()}${rest.slice(1)}`];
}

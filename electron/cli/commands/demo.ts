import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { renderStoryReport } from '../../sample/report.ts';
import { playStory, StoryFailed } from '../../sample/story.ts';
import type { CliContext } from '../context.ts';
import { parseNumber } from '../input.ts';

export function registerDemo(program: Command, context: CliContext): void {
  program
    .command('demo')
    .option('--dir <folder>', 'new folder for the workspace; a temporary one when left out')
    .option('--rate <n>', 'requests a second', '600')
    .option('--without-disagreement-guard', 'take the guard away: the story must then fail')
    .description(
      'play two releases end to end on a sample workspace: one goes out, one is rolled back by its guard',
    )
    .action(async (options: { dir?: string; rate: string; withoutDisagreementGuard?: boolean }) => {
      const requestsPerSecond = parseNumber('--rate', options.rate);
      if (requestsPerSecond <= 0)
        throw new SallyportError('usage', '--rate: the canary needs traffic, at least one request a second.');
      const directory = options.dir ?? join(await mkdtemp(join(tmpdir(), 'sallyport-demo-')), 'workspace');
      const { output } = context;
      const began = performance.now();
      try {
        const story = await playStory({
          factory: context.factory,
          directory,
          requestsPerSecond,
          guards: options.withoutDisagreementGuard === true ? { maxDisagreement: null } : {},
          onLine: ({ step, figure }) => output.event({ step, figure }, `${step.padEnd(9)} ${figure}`),
        });
        const report = join(directory, 'report.html');
        await writeFile(report, renderStoryReport(story), { flag: 'wx' });
        output.event(
          { step: 'report', figure: report, seconds: (performance.now() - began) / 1000 },
          `${'report'.padEnd(9)} ${report}`,
        );
      } catch (error) {
        if (error instanceof StoryFailed)
          throw new SallyportError('refused.gate', `The story failed at ${error.message}`, {
            hint: `The workspace is kept in ${directory}`,
          });
        throw error;
      }
    });
}

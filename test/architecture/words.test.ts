import { describe, expect, it } from 'vitest';
import { parseSource, projectSources, projectTexts } from './source.ts';
import { machineWords, sourceWords, testMarks } from './words.ts';

const sources = projectSources();

describe('the texts of the project', () => {
  it('name no path of one machine and no package registry', () => {
    expect(machineWords(projectTexts())).toEqual([]);
  });
  it('hold no unfinished mark, no silenced check and no `any`', () => {
    expect(sourceWords(sources)).toEqual([]);
  });
  it('hold no test that runs alone, and none that is skipped without a reason', () => {
    expect(testMarks(sources)).toEqual([]);
  });
});

describe('the checker sees', () => {
  const words = (text: string) => machineWords([{ path: 'a.md', text }]);
  const [tmp, work, root] = ['/tm' + 'p', '/wor' + 'k', '/roo' + 't'];

  it.each([
    `${tmp}/x`,
    `"${tmp}"`,
    `see ${work}/main`,
    `(${root}/.cache)`,
    'https://registry.' + 'npmjs.org/a',
  ])('%s', (text) => {
    expect(words(`first line\n${text}`)).toHaveLength(1);
    expect(words(`first line\n${text}`)[0]).toMatch(/^a\.md:2 /);
  });
  it.each([
    `../workers${work}ers/a.ts`,
    `${work}ers`,
    `a${root}`,
    'registry.example/models',
    'registry.db',
    `$X${tmp}`,
  ])('nothing wrong in %s', (text) => {
    expect(words(text)).toEqual([]);
  });

  it('any as a type, not as a word', () => {
    expect(sourceWords([parseSource('a.ts', 'export const a: any = 1;')])).toHaveLength(1);
    expect(
      sourceWords([parseSource('a.ts', 'export const f = (x: readonly any[]) => x as any;')]),
    ).toHaveLength(2);
    expect(sourceWords([parseSource('a.ts', '// any\nexport const any = "any";')])).toEqual([]);
  });
  it('unfinished marks and silenced checks in comments', () => {
    const mark = 'TO' + 'DO';
    expect(sourceWords([parseSource('a.ts', `// ${mark}: later\nexport {};`)])).toHaveLength(1);
    expect(sourceWords([parseSource('a.ts', `export const a = '${mark}';`)])).toEqual([]);
    expect(sourceWords([parseSource('a.ts', '// @ts-ignore\nexport {};')])).toHaveLength(1);
    expect(sourceWords([parseSource('a.ts', '// @ts-expect-error\nexport {};')])).toHaveLength(1);
    expect(
      sourceWords([
        parseSource('a.ts', '// @ts-expect-error the type forbids it, the test proves it\nexport {};'),
      ]),
    ).toEqual([]);
  });
  it('a test that runs alone', () => {
    expect(testMarks([parseSource('a.ts', `it.only('a', () => {});`)])).toHaveLength(1);
    expect(
      testMarks([parseSource('a.ts', `describe.only.each([1])('a', () => {}); // for a reason`)]),
    ).toHaveLength(1);
    expect(testMarks([parseSource('a.ts', `list.only('a'); array.skip(1);`)])).toEqual([]);
  });
  it('a skipped test without a reason', () => {
    expect(testMarks([parseSource('a.ts', `it.skip('a', () => {});`)])).toHaveLength(1);
    expect(testMarks([parseSource('a.ts', `describe.skipIf(x)('a', () => {});`)])).toHaveLength(1);
    expect(
      testMarks([parseSource('a.ts', `// Needs a keyring.\ndescribe.skipIf(x)('a', () => {});`)]),
    ).toEqual([]);
  });
});

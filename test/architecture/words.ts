/** Words and marks that have no place in the project's texts. Pure. */
import type { SourceFile } from './source.ts';

export interface Text {
  readonly path: string;
  readonly text: string;
}

// Put together from pieces, so that this file does not find itself.
const FOLDERS = ['wor' + 'k', 'roo' + 't'];
/** Tests name it as text that is never opened: attacks that must not write there. */
const TEMPORARY = new RegExp(`(?<![\\w.~$}*-])/${'tm' + 'p'}(?![\\w-])`);
/** An absolute path that exists on one machine only. `$HOME`, `~` and the system's temporary folder are asked for instead. */
const MACHINE_PATH = new RegExp(`(?<![\\w.~$}*-])/(?:${FOLDERS.join('|')})(?![\\w-])`);

/** Hosts packages come from; which one is the business of the machine's own configuration. Reserved names are examples. */
const REGISTRY_HOST =
  /\b(?:registry\.(?!example\b|invalid\b|test\b|local)[a-z0-9-]+(?:\.[a-z]{2,})+|[a-z0-9-]+\.jfrog\.io|registry\.npmmirror\.com|pypi\.org|files\.pythonhosted\.org|deb\.debian\.org)\b/i;

const UNFINISHED = new RegExp(`\\b(?:${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HAC' + 'K'].join('|')})\\b`);
const SILENCED = /@ts-(?:ignore|nocheck)\b|@ts-expect-error\s*$/;

const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

/** Places where any of these texts names a machine or a registry. */
export function machineWords(texts: readonly Text[]): string[] {
  return texts.flatMap(({ path, text }) =>
    [MACHINE_PATH, REGISTRY_HOST, ...(path.startsWith('test/') ? [] : [TEMPORARY])].flatMap((pattern) =>
      [...text.matchAll(new RegExp(pattern, `${pattern.flags}g`))].map(
        (match) => `${path}:${lineAt(text, match.index)} ${match[0]}`,
      ),
    ),
  );
}

/** Sentences for unfinished marks, silenced checks and the type `any`. */
export function sourceWords(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => [
    ...file.anyLines.map((line) => `${file.path}:${line} any`),
    ...file.comments
      .filter(({ value }) => UNFINISHED.test(value) || SILENCED.test(value.trim()))
      .map(({ value, line }) => `${file.path}:${line} ${value.trim().slice(0, 60)}`),
  ]);
}

/**
 * Tests that run alone or not at all. `only` and `todo` never stay; `skip`, `skipIf`, `runIf` and `fails` need their
 * reason in a comment or a message within the two lines before, or as the condition itself (`skipIf(reason !== null)`).
 */
export function testMarks(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) =>
    file.modifiers
      .filter(({ name, line, reasoned }) => {
        if (name === 'only' || name === 'todo') return true;
        const near = (one: { readonly line: number }): boolean => one.line <= line && one.line >= line - 2;
        const message = file.strings.some((one) => near(one) && one.value.startsWith('skipped: '));
        return !reasoned && !message && !file.comments.some(near);
      })
      .map(({ name, line }) => `${file.path}:${line} .${name}`),
  );
}

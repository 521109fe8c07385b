import { type Dirent, existsSync, statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type * as Electron from 'electron';
import { type OverlayAnswer, type OverlayView, showOverlay } from './overlay.ts';
import type { StandInWindowInstance } from './window.ts';

/** What a test answers in place of a person; see `test-hook.ts`. */
export type DialogAnswer = { readonly paths: readonly string[] } | { readonly button: number };

type OpenOptions = Pick<
  Electron.OpenDialogOptions,
  'title' | 'defaultPath' | 'buttonLabel' | 'filters' | 'properties'
>;
type SaveOptions = Pick<Electron.SaveDialogOptions, 'title' | 'defaultPath' | 'buttonLabel' | 'filters'>;
type MessageOptions = Pick<
  Electron.MessageBoxOptions,
  'message' | 'detail' | 'buttons' | 'cancelId' | 'defaultId' | 'title' | 'type'
>;

/** More entries than anyone scrolls through; the path can always be typed. */
const ENTRIES_MAX = 500;

/** Electron's `dialog`, drawn over the page: it looks the same with and without a display. */
export class StandInDialogs {
  /** Answers waiting for the next dialogs, oldest first (test hook only). */
  readonly queue: DialogAnswer[] = [];
  readonly #focused: () => StandInWindowInstance | null;
  readonly #start: () => string;

  constructor(focused: () => StandInWindowInstance | null, start: () => string) {
    this.#focused = focused;
    this.#start = start;
  }

  showOpenDialog = async (
    ...args: [unknown, OpenOptions] | [OpenOptions]
  ): Promise<{ canceled: boolean; filePaths: string[] }> => {
    const { window, options } = this.#unpack<OpenOptions>(args);
    const directories = options.properties?.includes('openDirectory') === true;
    const path = await this.#choose(window, options, directories ? 'directory' : 'file');
    return path === null ? { canceled: true, filePaths: [] } : { canceled: false, filePaths: [path] };
  };

  showSaveDialog = async (
    ...args: [unknown, SaveOptions] | [SaveOptions]
  ): Promise<{ canceled: boolean; filePath: string }> => {
    const { window, options } = this.#unpack<SaveOptions>(args);
    const path = await this.#choose(window, options, 'save');
    return path === null ? { canceled: true, filePath: '' } : { canceled: false, filePath: path };
  };

  showMessageBox = async (
    ...args: [unknown, MessageOptions] | [MessageOptions]
  ): Promise<{ response: number; checkboxChecked: boolean }> => {
    const { window, options } = this.#unpack<MessageOptions>(args);
    const buttons = options.buttons ?? ['OK'];
    const queued = this.queue.shift();
    if (queued !== undefined && 'button' in queued)
      return { response: queued.button, checkboxChecked: false };
    const answer = await this.#show(window, {
      title: options.message,
      detail: options.detail ?? '',
      buttons,
      path: null,
      entries: [],
      note: '',
    });
    const response = answer?.kind === 'button' ? answer.index : (options.cancelId ?? buttons.length - 1);
    return { response, checkboxChecked: false };
  };

  showErrorBox = (title: string, content: string): void => {
    console.error(`${title}: ${content}`);
  };

  #unpack<T>(args: readonly unknown[]): {
    readonly window: StandInWindowInstance | null;
    readonly options: T;
  } {
    return args.length > 1
      ? { window: args[0] as StandInWindowInstance, options: args[1] as T }
      : { window: this.#focused(), options: args[0] as T };
  }

  async #choose(
    window: StandInWindowInstance | null,
    options: OpenOptions,
    kind: 'file' | 'directory' | 'save',
  ): Promise<string | null> {
    const queued = this.queue.shift();
    if (queued !== undefined && 'paths' in queued) return queued.paths[0] ?? null;
    const extensions = options.filters?.flatMap((filter) => filter.extensions) ?? [];
    let path = resolve(this.#start(), options.defaultPath ?? '');
    let note = '';
    for (;;) {
      const folder = isDirectory(path) ? path : dirname(path);
      const view: OverlayView = {
        title:
          options.title ??
          (kind === 'save' ? 'Save as' : kind === 'directory' ? 'Choose a folder' : 'Open a file'),
        detail: '',
        buttons: [options.buttonLabel ?? (kind === 'save' ? 'Save' : 'Open'), 'Cancel'],
        path,
        entries: await listing(folder, kind === 'directory' ? null : extensions),
        note,
      };
      const answer = await this.#show(window, view);
      if (answer === null || (answer.kind === 'button' && answer.index !== 0)) return null;
      const wanted = resolve(folder, answer.path);
      note = '';
      if (answer.kind === 'entry') {
        // A file is chosen, a folder is entered; saving keeps the name typed so far.
        path =
          isDirectory(wanted) && kind === 'save' && !isDirectory(path)
            ? join(wanted, basename(path))
            : wanted;
        if (!isDirectory(wanted) && kind === 'file') return wanted;
      } else if (
        kind === 'directory'
          ? isDirectory(wanted)
          : kind === 'save'
            ? !isDirectory(wanted) && isDirectory(dirname(wanted))
            : existsSync(wanted) && !isDirectory(wanted)
      ) {
        return wanted;
      } else {
        path = wanted;
        if (!isDirectory(wanted)) note = 'There is nothing at this path.';
      }
    }
  }

  async #show(window: StandInWindowInstance | null, view: OverlayView): Promise<OverlayAnswer | null> {
    if (window === null) return null;
    const page = await window.page();
    try {
      return await page.evaluate(showOverlay, view);
    } catch {
      // The page was left or closed under the dialog: the same as cancelling it.
      return null;
    }
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Folders first, then files with one of the extensions (`null`: none, `*` or empty: all). */
async function listing(
  folder: string,
  extensions: readonly string[] | null,
): Promise<{ name: string; label: string }[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(folder, { withFileTypes: true });
  } catch {
    return [{ name: '..', label: '↑ ..' }];
  }
  const shown = entries
    .filter((entry) => !entry.name.startsWith('.'))
    .sort((a, b) => a.name.localeCompare(b.name));
  const folders = shown
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => ({ name, label: `▸ ${name}` }));
  const any = extensions !== null && (extensions.length === 0 || extensions.includes('*'));
  const files = shown
    .filter(
      (entry) =>
        !entry.isDirectory() &&
        extensions !== null &&
        (any || extensions.includes(extname(entry.name).slice(1).toLowerCase())),
    )
    .map(({ name }) => ({ name, label: name }));
  return [{ name: '..', label: '↑ ..' }, ...folders, ...files].slice(0, ENTRIES_MAX);
}

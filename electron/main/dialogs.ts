import { BrowserWindow, dialog, type FileFilter } from 'electron';
import type { ChannelInput, ChannelOutput } from '../../shared/contract/channels.ts';

type Kind = ChannelInput<'dialogs.open'>['kind'];

const ALL: FileFilter = { name: 'All files', extensions: ['*'] };
const OPEN: Readonly<Record<Kind, { readonly title: string; readonly filters: FileFilter[] }>> = {
  model: { title: 'Add a model', filters: [{ name: 'ONNX models', extensions: ['onnx'] }, ALL] },
  dataset: {
    title: 'Choose data',
    filters: [{ name: 'Tables', extensions: ['csv', 'tsv', 'jsonl', 'ndjson', 'parquet', 'npy'] }, ALL],
  },
  policy: { title: 'Choose a policy', filters: [{ name: 'Policies', extensions: ['yaml', 'yml'] }, ALL] },
  backup: { title: 'Choose a backup', filters: [{ name: 'Backups', extensions: ['tar'] }, ALL] },
  audit: {
    title: 'Choose an exported log',
    filters: [{ name: 'Exported logs', extensions: ['jsonl'] }, ALL],
  },
  directory: { title: 'Choose a folder', filters: [] },
};

/** Asks for one existing file or folder; null when the user changed their mind. */
export async function openPath({
  kind,
}: ChannelInput<'dialogs.open'>): Promise<ChannelOutput<'dialogs.open'>> {
  const { title, filters } = OPEN[kind];
  const options: Electron.OpenDialogOptions = {
    title,
    filters,
    properties: kind === 'directory' ? ['openDirectory', 'createDirectory'] : ['openFile'],
  };
  const [window] = BrowserWindow.getAllWindows();
  const answer = await (window === undefined
    ? dialog.showOpenDialog(options)
    : dialog.showOpenDialog(window, options));
  return { path: answer.canceled ? null : (answer.filePaths[0] ?? null) };
}

/** Asks where to save; the suggested name is a name, never a path. */
export async function savePath({
  suggestedName,
}: ChannelInput<'dialogs.save'>): Promise<ChannelOutput<'dialogs.save'>> {
  const options: Electron.SaveDialogOptions = {
    title: 'Save as',
    defaultPath: suggestedName.replaceAll(/[/\\:*?"<>|]/g, '-'),
  };
  const [window] = BrowserWindow.getAllWindows();
  const answer = await (window === undefined
    ? dialog.showSaveDialog(options)
    : dialog.showSaveDialog(window, options));
  return { path: answer.canceled || answer.filePath === '' ? null : answer.filePath };
}

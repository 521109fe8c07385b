import { Dropzone } from '@mantine/dropzone';
import { notifications } from '@mantine/notifications';
import { IconFileImport } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { pathForFile } from '../api/bridge.ts';
import { notifyProblem } from '../api/mutations.ts';
import { dropKind } from './drop-kind.ts';
import styles from './shell.module.css';

/** The browser's own File objects: only they have a path the main process can ask for. */
async function filesOf(event: unknown): Promise<(File | DataTransferItem)[]> {
  const transfer = (event as { readonly dataTransfer?: DataTransfer }).dataTransfer;
  if (transfer === undefined) return [];
  return transfer.files.length > 0 ? [...transfer.files] : [...transfer.items];
}

/** The whole window takes files: a model is inspected, a dataset goes to the page that can use it. */
export function DropTarget(): ReactNode {
  const navigate = useNavigate();
  const { pathname } = useLocation();
  const take = async (file: File): Promise<void> => {
    try {
      const kind = dropKind(file.name);
      if (kind === 'unknown') {
        notifications.show({
          color: 'yellow',
          title: `"${file.name}" was not taken`,
          message: 'Drop an ONNX model (.onnx) or a dataset (.csv, .jsonl, .parquet, .npy).',
        });
        return;
      }
      const path = await pathForFile(file);
      if (kind === 'model') await navigate('/models', { state: { inspect: path } });
      else
        await navigate(pathname.startsWith('/compare') ? '/compare' : '/validate', {
          state: { dataset: path },
        });
    } catch (error) {
      notifyProblem(error);
    }
  };
  return (
    <Dropzone.FullScreen
      active
      withinPortal={false}
      multiple={false}
      activateOnClick={false}
      activateOnKeyboard={false}
      getFilesFromEvent={filesOf}
      inputProps={{ 'aria-label': 'Drop a model or a dataset' }}
      onDrop={(files) => {
        const file = files[0];
        if (file !== undefined) void take(file);
      }}
    >
      <div className={styles.drop}>
        <IconFileImport size={44} stroke={1.3} aria-hidden />
        <strong>Drop it anywhere</strong>
        <span className="dim">
          An ONNX model is inspected before anything is stored. A dataset goes to Validate or Compare.
        </span>
      </div>
    </Dropzone.FullScreen>
  );
}

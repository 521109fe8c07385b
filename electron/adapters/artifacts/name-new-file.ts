import { link, lstat, rename } from 'node:fs/promises';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { systemCode } from '../../../shared/node/files/files.ts';

/** Gives a finished file its name, never over another: `conflict` where one is there. */
export async function nameNewFile(temporary: string, path: string): Promise<void> {
  const conflict = (): SallyportError =>
    new SallyportError('conflict', `There is already a file ${path}.`, {
      hint: 'It was left as it is. Choose another name or folder.',
    });
  try {
    // A hard link refuses an existing name in one step, which a rename does not.
    await link(temporary, path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') throw conflict();
    // Removable media (FAT) know no links.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error;
    if (
      await lstat(path).then(
        () => true,
        () => false,
      )
    )
      throw conflict();
    await rename(temporary, path);
  }
}

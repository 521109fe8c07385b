/** Where the agent's own keys come from: a file, an environment variable, or a systemd credential. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { SallyportError } from '../../shared/domain/errors.ts';
import { readSecretFile, systemCode } from '../../shared/node/files/files.ts';

export const keySourceSchema = z.union([
  /** A regular file of the agent's account, mode 0600. */
  z.strictObject({ file: z.string().min(1) }),
  /** Taken out of the environment once it is read, so that no process the agent starts has it. */
  z.strictObject({
    env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,199}$/, { error: 'This is not the name of a variable.' }),
  }),
  /** A file in `$CREDENTIALS_DIRECTORY`. */
  z.strictObject({
    credential: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,199}$/, { error: 'A credential is a plain name.' }),
  }),
]);
export type KeySource = z.infer<typeof keySourceSchema>;

/** Longest credential that is read, in bytes. */
const MAX_BYTES = 64 * 1024;

/** The key's text, without the line ends at its end. `usage` when it is not there or is not kept well. Never in a message. */
export async function readKey(
  source: KeySource,
  directory: string,
  env: NodeJS.ProcessEnv = process.env,
): Promise<string> {
  if ('file' in source) return readSecretFile(resolve(directory, source.file));
  if ('credential' in source) return readCredential(source.credential, env.CREDENTIALS_DIRECTORY);
  const text = env[source.env]?.trim() ?? '';
  delete env[source.env];
  if (text === '') throw refuse(`The environment variable ${source.env} is not set.`);
  return text;
}

/** What a message may say of a source. */
export function describeSource(source: KeySource): string {
  if ('file' in source) return source.file;
  return 'env' in source ? `the variable ${source.env}` : `the credential ${source.credential}`;
}

async function readCredential(name: string, directory: string | undefined): Promise<string> {
  if (directory === undefined || directory === '') {
    throw refuse(`There is no credential ${name}: CREDENTIALS_DIRECTORY is not set.`);
  }
  const path = join(directory, name);
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (cause: unknown) => {
      const why = systemCode(cause) === 'ENOENT' ? 'is not there' : 'cannot be read';
      throw refuse(`The credential ${path} ${why}.`, cause);
    },
  );
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw refuse(`The credential ${path} is not a regular file.`);
    // systemd leaves it to root and lets the service in by an access list, which shows as the group's right.
    if (status.uid !== 0 && status.uid !== process.getuid?.())
      throw refuse(`The credential ${path} belongs to another user.`);
    if ((status.mode & 0o007) !== 0) throw refuse(`The credential ${path} can be read by others.`);
    if (status.size > MAX_BYTES) throw refuse(`The credential ${path} is too large to be a key.`);
    const text = (await handle.readFile('utf8')).replace(/[\r\n]+$/, '');
    if (text === '') throw refuse(`The credential ${path} is empty.`);
    return text;
  } finally {
    await handle.close();
  }
}

function refuse(message: string, cause?: unknown): SallyportError {
  return new SallyportError('usage', message, {
    hint: 'The agent was not started.',
    ...(cause === undefined ? {} : { cause }),
  });
}

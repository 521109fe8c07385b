import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { z } from 'zod';
import {
  CHANNELS,
  type ChannelInput,
  type ChannelName,
  type Channels,
} from '../../shared/contract/channels.ts';
import { isDiskRefusal, SallyportError } from '../../shared/domain/errors.ts';
import { modelNameSchema, semverSchema, type VersionRef } from '../../shared/domain/model/version.ts';
import { diskError, systemCode } from '../../shared/node/files/files.ts';

type ParsedInput<C extends ChannelName> = z.output<Channels[C]['input']>;

/** The same check the window's calls go through, answered as a usage error that names the field. */
export function parseInput<C extends ChannelName>(channel: C, input: ChannelInput<C>): ParsedInput<C> {
  return parseWith(CHANNELS[channel].input as unknown as z.ZodType<ParsedInput<C>>, input);
}

/** `NAME@VERSION`. */
export function parseRef(text: string): VersionRef {
  const at = text.lastIndexOf('@');
  if (at <= 0)
    throw new SallyportError('usage', `"${text}" is not NAME@VERSION.`, {
      hint: 'For example phish-url@1.1.0',
    });
  return {
    name: parseWith(modelNameSchema, text.slice(0, at)),
    version: parseWith(semverSchema, text.slice(at + 1)),
  };
}

/** Parses with a schema; the first problem becomes a usage error. */
export function parseWith<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
  throw new SallyportError('usage', `${where}${issue?.message ?? 'This input is not valid.'}`);
}

/** `30s`, `5m`, `2h`, `500ms` in milliseconds. */
export function parseDuration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text);
  if (match === null)
    throw new SallyportError('usage', `"${text}" is not a time.`, {
      hint: 'Write it as 500ms, 30s, 5m or 2h.',
    });
  const unit = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2] as 'ms' | 's' | 'm' | 'h'];
  return Math.round(Number(match[1]) * unit);
}

/** A number given as the text of an option. */
export function parseNumber(option: string, text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw new SallyportError('usage', `${option}: "${text}" is not a number.`);
  return value;
}

/** What a JSON file holds, unchecked. */
export async function readJsonFile(path: string, what: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new SallyportError('usage', `The ${what} file ${path} cannot be read.`, {
      hint: 'Check the path.',
      cause,
    });
  });
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new SallyportError('usage', `The ${what} file ${path} is not JSON.`, { cause });
  }
}

/** Refuses, before the work is done, an output file that could not be written after it. */
export async function requireNewFile(path: string): Promise<void> {
  const folder = await stat(dirname(path)).catch(() => null);
  if (folder === null || !folder.isDirectory())
    throw new SallyportError('usage', `There is no folder ${dirname(path)} to write ${path} in.`, {
      hint: 'Nothing was done.',
    });
  if ((await stat(path).catch(() => null)) !== null)
    throw new SallyportError('usage', `${path} exists already.`, {
      hint: 'Nothing was done. Choose a new name.',
    });
}

/** Writes a file that must not be there yet. */
export async function writeNewFile(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx' });
  } catch (cause) {
    // What was begun is no document.
    if (systemCode(cause) !== 'EEXIST') await rm(path, { force: true }).catch(() => undefined);
    const error = diskError(cause);
    if (isDiskRefusal(error)) throw error;
    throw new SallyportError('usage', `${path} cannot be written.`, {
      hint: 'The result is kept in the vault.',
      cause,
    });
  }
}

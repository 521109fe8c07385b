import type { z } from 'zod';
import {
  CHANNELS,
  type ChannelInput,
  type ChannelName,
  type Channels,
} from '../../shared/contract/channels.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import { modelNameSchema, semverSchema, type VersionRef } from '../../shared/domain/model/version.ts';

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

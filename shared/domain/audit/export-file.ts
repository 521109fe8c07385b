/** The file an export is: the exact hashed lines, then one line that says what the file is. */
import { z } from 'zod';
import { sha256Schema } from '../model/version.ts';
import { fromHex, toHex } from './bytes.ts';
import { auditHeadSchema } from './entry.ts';
import type { MerkleFrontier } from './merkle.ts';

export const EXPORT_FORMAT = 'sallyport-audit/1';

/** The last line. It is not hashed itself: what it claims is proved by the lines above and by the signature in it. */
export const exportTrailerSchema = z.object({
  format: z.literal(EXPORT_FORMAT),
  vaultId: z.string(),
  /** Number of the first entry in the file. */
  from: z.number().int().min(1),
  entries: z.number().int().nonnegative(),
  /** The last entry in the file. */
  head: auditHeadSchema,
  /**
   * What stands before the first line, null for a whole log: the entry before it, and the roots of the complete
   * subtrees over all entries before it (RFC 6962), largest first, so that the checkpoint's root can be computed.
   */
  before: z.object({ head: auditHeadSchema, peaks: z.array(sha256Schema).max(53) }).nullable(),
  /** Signed note over the whole log up to the head. */
  checkpoint: z.string(),
  /** The key that signed it, `NAME+HASH+KEY`. Compare it with one noted elsewhere. */
  checkpointKey: z.string(),
  how: z.string(),
});
export type ExportTrailer = z.infer<typeof exportTrailerSchema>;

/** For whoever opens the file without knowing it. */
export const EXPORT_HOW =
  'SHA-256 of each line, without its line feed, is "previous" of the next; of the last one it is "head". docs/audit.md says how to check the rest.';

/** The tree before the first line; null where the claimed peaks cannot be one of that size. */
export function frontierBefore(before: ExportTrailer['before']): MerkleFrontier | null {
  if (before === null) return { size: 0, peaks: [] };
  const { head, peaks } = before;
  // One peak for each binary one of the size.
  const ones = [...head.seq.toString(2)].filter((bit) => bit === '1').length;
  if (head.seq < 1 || peaks.length !== ones) return null;
  return { size: head.seq, peaks: peaks.map((peak) => fromHex(peak) ?? new Uint8Array(32)) };
}

export function peaksOf(frontier: MerkleFrontier): string[] {
  return frontier.peaks.map(toHex);
}

/** Heads and notes kept elsewhere are small; anything larger is not one. */
export const MAX_WITNESS_BYTES = 1024 * 1024;

/** Signed notes in a text, one after another as holders keep them. A note ends with the lines of its signatures. */
export function splitNotes(text: string): string[] {
  return text
    .replaceAll('\r\n', '\n')
    .split(/(?<=\n\u2014 [^\n]*\n)(?!\u2014 )/)
    .map((note) => note.replace(/^\n+/, ''))
    .filter((note) => note.trim() !== '');
}

/** A head from a file: JSON with `seq` and `hash`, also the last line of an export, whose `head` it is. */
export function parseHeadText(text: string): z.infer<typeof auditHeadSchema> | null {
  const lines = text.trim().split('\n');
  for (const candidate of [text, lines.at(-1) ?? '']) {
    try {
      const value: unknown = JSON.parse(candidate);
      const schema = z.union([auditHeadSchema, z.object({ head: auditHeadSchema })]);
      const parsed = schema.safeParse(value);
      if (parsed.success) return 'head' in parsed.data ? parsed.data.head : parsed.data;
    } catch {
      // Not JSON as a whole: its last line may be.
    }
  }
  return null;
}

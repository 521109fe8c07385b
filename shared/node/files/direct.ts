/**
 * Files past the page cache: what is read comes from the disk, not from memory that was written a moment ago, and what
 * is written costs the system no pages. Linux only; where it cannot be had, callers use the file as they opened it.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { systemCode } from './files.ts';

/** Places, lengths and memory must be multiples of a block of the disk: 512 or 4096 bytes on those there are. */
export const BLOCK_BYTES = 4096;

/** From this size on, a second way into the file and a thread beside it cost less than they save. */
export const LARGE_FILE_BYTES = 32 * 1024 * 1024;

/** What WebAssembly counts its memory in. It begins at a page, which no other memory of JavaScript promises. */
const WASM_PAGE_BYTES = 64 * 1024;

/** All that is used of it here; the compiler's libraries know it only beside a browser's page. */
declare const WebAssembly: {
  readonly Memory: new (pages: {
    readonly initial: number;
    readonly maximum: number;
    readonly shared: true;
  }) => { readonly buffer: unknown };
};

/** At least `bytes` of memory that begin at a block, which threads may share; null where there is none. */
export function alignedMemory(bytes: number): SharedArrayBuffer | null {
  const pages = Math.ceil(bytes / WASM_PAGE_BYTES);
  try {
    const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    return buffer instanceof SharedArrayBuffer ? buffer : null;
  } catch {
    // Too little address space, or a runtime without it.
    return null;
  }
}

/**
 * The file behind `handle` opened once more, past the page cache; null where system or file system has no such way.
 * Not by its path: it may have another name by now, or somebody else the old one. The caller closes it. Reading and
 * writing may still answer `EINVAL` (`isUnsuitable`): then only the plain handle is left.
 */
export async function openDirect(
  handle: FileHandle,
  access: 'reading' | 'writing',
): Promise<FileHandle | null> {
  // macOS and Windows have no such flag.
  if (process.platform !== 'linux' || constants.O_DIRECT === undefined) return null;
  const flags = (access === 'reading' ? constants.O_RDONLY : constants.O_WRONLY) | constants.O_DIRECT;
  return open(`/proc/self/fd/${handle.fd}`, flags).catch(() => null);
}

/** Whether a read or write failed for being direct, and not for the disk. */
export function isUnsuitable(error: unknown): boolean {
  return systemCode(error) === 'EINVAL';
}

/** Answers `length` bytes at `position`, in memory of that slot; fewer only where the file ends. */
export type SlotReader = (slot: number, length: number, position: number) => Promise<Buffer>;

/**
 * Reads up to `bytes` at any place of a file into one of `slots` memories: past the page cache with `direct` (from
 * `openDirect`), else through `handle`. Both stay the caller's.
 */
export function slotReader(
  handle: FileHandle,
  direct: FileHandle | null,
  slots: number,
  bytes: number,
): SlotReader {
  // A range that begins and ends inside of blocks touches one more.
  const slotBytes = (Math.ceil(bytes / BLOCK_BYTES) + 1) * BLOCK_BYTES;
  const aligned = direct && alignedMemory(slots * slotBytes);
  let way = aligned ? direct : null;
  const memory = Array.from({ length: slots }, (_, index) =>
    aligned ? Buffer.from(aligned, index * slotBytes, slotBytes) : Buffer.allocUnsafeSlow(bytes),
  );

  return async (slot, length, position) => {
    const buffer = memory[slot] as Buffer;
    const lead = way ? position % BLOCK_BYTES : 0;
    const from = position - lead;
    const end = lead + length;
    let have = 0;
    while (have < end) {
      // A file system may answer half a block; the next read would not begin at one.
      const direct = have % BLOCK_BYTES === 0 ? way : null;
      const wanted = direct ? Math.ceil(end / BLOCK_BYTES) * BLOCK_BYTES : end;
      try {
        const { bytesRead } = await (direct ?? handle).read(buffer, have, wanted - have, from + have);
        if (bytesRead === 0) break;
        have += bytesRead;
      } catch (error) {
        if (!direct || !isUnsuitable(error)) throw error;
        way = null;
      }
    }
    return buffer.subarray(lead, Math.min(have, end));
  };
}

import { readFileSync } from 'node:fs';
import { SallyportError } from '../../domain/errors.ts';
import {
  exactly,
  fromWireError,
  type ModelUse,
  type WorkerReply,
  type WorkerRequest,
} from './worker-protocol.ts';

/** A worker process as its parent holds it; the desktop's `WorkerHandle` is one. */
export interface InferenceWorker {
  postMessage(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  onExit(listener: (code: number | null) => void): void;
  kill(): void;
  readonly pid: number | undefined;
}

/**
 * Why a worker is no more. `culprit` = this request was the one it was working on, or did not turn to before the
 * deadline. One that reached a process already dead, before the news of its end came, is not.
 */
export interface WorkerGone {
  readonly error: SallyportError;
  readonly culprit: boolean;
}

export interface RequestListener {
  done(value: unknown): void;
  /** The worker lives and refused the request. */
  failed(error: SallyportError): void;
  /** The worker died, was killed, or the request waited too long for its turn (then `culprit` is false). */
  gone(gone: WorkerGone): void;
  progress?(value: unknown): void;
}

type Unnumbered<T> = T extends unknown ? Omit<T, 'id'> : never;
export type WorkerCall = Unnumbered<WorkerRequest>;

/** One live worker: numbered requests, a deadline for the one it works on, and a watch on its memory. */
export interface WorkerLink {
  readonly pid: number | undefined;
  readonly alive: boolean;
  /**
   * `deadlineMs` counts from the moment the worker turns to this request, and again from each progress note. Throws where
   * the request cannot be sent as a message; then nothing of it is left.
   */
  request(call: WorkerCall, deadlineMs: number, listener: RequestListener): void;
  /** Largest memory seen, in bytes. */
  readonly peakRssBytes: number;
  /** Memory when it was last looked at; 0 before the first look. */
  readonly rssBytes: number;
  /** Ends the worker; every open request is told with this error. */
  close(error: SallyportError): void;
}

export interface LinkOptions {
  readonly maxRssBytes: number;
  /** Called once when the worker is no more, after the open requests were told. */
  readonly onGone?: (error: SallyportError) => void;
}

/** Milliseconds between two looks at clock and memory. */
const WATCH_MS = 50;

interface Pending {
  readonly id: number;
  readonly listener: RequestListener;
  readonly deadlineMs: number;
  readonly since: number;
  /** The worker said that it turned to this one. */
  begun: boolean;
  /** Told already (it waited too long); its reply is still due and is dropped. */
  abandoned: boolean;
}

export function openWorkerLink(worker: InferenceWorker, options: LinkOptions): WorkerLink {
  // In the order in which the worker works: the first entry is what it is doing now, and the next reply's. Not a Map: one
  // that is emptied with each request leaves a table behind, which holds the request and the next table until a full
  // garbage collection.
  const pending: Pending[] = [];
  let nextId = 1;
  let headSince = 0;
  let alive = true;
  let peakRssBytes = 0;
  let lastRssBytes = 0;

  const begin = (id: number | null): void => {
    const entry = pending.find((each) => each.id === id);
    if (entry) entry.begun = true;
  };

  const end = (error: SallyportError): void => {
    if (!alive) return;
    alive = false;
    clearInterval(timer);
    worker.kill();
    const open = pending.splice(0);
    for (const [index, { listener, begun, abandoned }] of open.entries()) {
      const culprit = index === 0 && (begun || error.code === 'engine.timeout');
      if (!abandoned) listener.gone({ error, culprit });
    }
    options.onGone?.(error);
  };

  const seeMemory = (rssBytes: number): void => {
    lastRssBytes = rssBytes;
    peakRssBytes = Math.max(peakRssBytes, rssBytes);
    if (rssBytes <= options.maxRssBytes) return;
    const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);
    end(
      new SallyportError(
        'engine.memory',
        `The inference process took ${mib(rssBytes)} MiB, more than its ${mib(options.maxRssBytes)} MiB, and was ended.`,
        {
          hint: 'Nothing was changed. Use a smaller model or raise the memory cap.',
          facts: { rssBytes, maxRssBytes: options.maxRssBytes },
        },
      ),
    );
  };

  const watch = (): void => {
    const rssBytes = residentBytes(worker.pid);
    if (rssBytes !== null) seeMemory(rssBytes);
    if (!alive) return;
    const now = performance.now();
    let head = true;
    for (const entry of pending) {
      if (head && now - headSince > entry.deadlineMs) {
        end(timeout(entry.deadlineMs));
        return;
      }
      // One that waits behind others is told, and nobody is ended for it: the worker is at work.
      if (!head && !entry.abandoned && now - entry.since > entry.deadlineMs) {
        entry.abandoned = true;
        entry.listener.gone({ error: waitedTooLong(entry.deadlineMs), culprit: false });
      }
      head = false;
    }
  };
  const timer = setInterval(watch, WATCH_MS);
  timer.unref();

  worker.onMessage((message) => {
    const reply = message as WorkerReply;
    if (reply.kind === 'memory') return seeMemory(reply.rssBytes);
    if (reply.kind === 'begun') return begin(reply.id);
    if (reply.kind !== 'progress') begin(reply.next);
    const place = pending.findIndex((each) => each.id === reply.id);
    const entry = pending[place];
    if (!entry) return;
    headSince = performance.now();
    if (reply.kind === 'progress') return entry.listener.progress?.(reply.value);
    pending.splice(place, 1);
    if (entry.abandoned) return;
    if (reply.kind === 'done') entry.listener.done(reply.value);
    else entry.listener.failed(fromWireError(reply.error));
  });
  worker.onExit((code) => {
    end(
      new SallyportError(
        'engine.crashed',
        `The inference process ended unexpectedly (${code === null ? 'killed' : `exit code ${code}`}).`,
        {
          hint: 'Nothing was changed, and the next run starts a new process. If it happens again with this model, do not use the model.',
          facts: { exitCode: code },
        },
      ),
    );
  });

  return {
    get pid() {
      return worker.pid;
    },
    get alive() {
      return alive;
    },
    get peakRssBytes() {
      return peakRssBytes;
    },
    get rssBytes() {
      return lastRssBytes;
    },
    request(call, deadlineMs, listener) {
      const now = performance.now();
      if (pending.length === 0) headSince = now;
      const id = nextId++;
      pending.push({ id, listener, deadlineMs, since: now, begun: false, abandoned: false });
      try {
        worker.postMessage({ ...call, id });
      } catch (error) {
        // It was never sent, so no reply to it is waited for.
        const place = pending.findIndex((each) => each.id === id);
        if (place >= 0) pending.splice(place, 1);
        throw error;
      }
    },
    close: end,
  };
}

export interface CallListener {
  progress?(value: unknown): void;
  /** Told before the promise rejects with the error of `gone`. */
  gone?(gone: WorkerGone): void;
}

/** As a promise; `gone` rejects with its error. */
export function callWorker(
  link: WorkerLink,
  call: WorkerCall,
  deadlineMs: number,
  listener: CallListener = {},
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    link.request(call, deadlineMs, {
      done: resolve,
      failed: reject,
      gone: (gone) => {
        listener.gone?.(gone);
        reject(gone.error);
      },
      progress: (value) => listener.progress?.(value),
    });
  });
}

/** A model on its way into a worker. */
export interface ModelTransfer {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly digest: string;
  readonly use: ModelUse;
  readonly intraOpThreads: number;
}

const CHUNK_BYTES = 4 * 2 ** 20;

/**
 * Sends the bytes piece by piece, each acknowledged before the next, and has the worker verify and load them. Answers
 * what `ModelUse` says.
 */
export async function transferModel(
  link: WorkerLink,
  { bytes, ...model }: ModelTransfer,
  deadlineMs: number,
  listener: CallListener = {},
): Promise<unknown> {
  const { key } = model;
  const call = (request: WorkerCall): Promise<unknown> => callWorker(link, request, deadlineMs, listener);
  await call({ type: 'load-begin', ...model, sizeBytes: bytes.length });
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    await call({ type: 'load-chunk', key, bytes: exactly(bytes.subarray(start, start + CHUNK_BYTES)) });
  }
  return call({ type: 'load-end', key });
}

function timeout(deadlineMs: number): SallyportError {
  return new SallyportError(
    'engine.timeout',
    `The model did not answer within ${deadlineMs} ms; its process was ended.`,
    {
      hint: 'Nothing was changed. The model may loop, or be too slow for this machine.',
      facts: { deadlineMs, queued: false },
    },
  );
}

/** Of a request that never got its turn. */
export function waitedTooLong(deadlineMs: number): SallyportError {
  return new SallyportError(
    'engine.timeout',
    `The request waited more than ${deadlineMs} ms for its turn and was dropped.`,
    {
      hint: 'Too much is asked at once: send larger batches or fewer requests.',
      facts: { deadlineMs, queued: true },
    },
  );
}

/** Resident memory of a process where the system tells it to others (Linux), else null. */
function residentBytes(pid: number | undefined): number | null {
  if (pid === undefined || process.platform !== 'linux') return null;
  try {
    const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) * 1024;
  } catch {
    // Gone between two looks: its exit is reported by the handle.
    return null;
  }
}

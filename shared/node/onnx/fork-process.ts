import { fork } from 'node:child_process';

/** A forked Node process as a worker. Messages are structured clones; typed arrays are not turned into JSON. */
export interface ForkedProcess {
  postMessage(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once, after the last message; `code` is null when a signal ended it. */
  onExit(listener: (code: number | null, signal: string | null) => void): void;
  kill(): void;
  /** Whether this process waits for the child before it ends by itself; yes until said otherwise. */
  hold(held: boolean): void;
  readonly pid: number | undefined;
}

/**
 * Starts the file as a Node child process. Its standard output goes nowhere, for the command line's own is a document;
 * errors pass. The child inherits no credentials: only the given environment, or what a program needs to start.
 */
export function forkProcess(
  path: string,
  options: { readonly env?: Readonly<Record<string, string>> } = {},
): ForkedProcess {
  const child = fork(path, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    execArgv: [],
    env: options.env ?? workerEnvironment(),
  });
  let messageListener: (message: unknown) => void = () => {};
  let exitListener: ((code: number | null, signal: string | null) => void) | null = null;
  let exit: { readonly code: number | null; readonly signal: string | null } | null = null;

  const ended = (code: number | null, signal: string | null): void => {
    if (exit) return;
    exit = { code, signal };
    exitListener?.(code, signal);
  };
  child.on('message', (message) => messageListener(message));
  // 'error' without a process (spawn failed) has no 'close' after it; a failed send on a closing channel has one.
  child.on('error', () => {
    if (child.pid === undefined) ended(1, null);
  });
  // 'close' and not 'exit': messages still in the channel are delivered before it.
  child.on('close', ended);

  return {
    pid: child.pid,
    postMessage: (message) => {
      // The callback swallows EPIPE of a child that ended between two messages; 'close' follows.
      if (child.connected) child.send(message as never, () => {});
    },
    onMessage: (listener) => {
      messageListener = listener;
    },
    onExit: (listener) => {
      exitListener = listener;
      if (exit) listener(exit.code, exit.signal);
    },
    kill: () => {
      child.kill('SIGKILL');
    },
    hold: (held) => {
      if (held) {
        child.ref();
        child.channel?.ref();
      } else {
        child.unref();
        child.channel?.unref();
      }
    },
  };
}

const NEEDED =
  /^(PATH|HOME|LANG|LC_.*|TZ|TMPDIR|TEMP|TMP|SYSTEMROOT|LD_LIBRARY_PATH|XDG_.*|DBUS_SESSION_BUS_ADDRESS|DISPLAY|WAYLAND_DISPLAY|XAUTHORITY|USERPROFILE|APPDATA|LOCALAPPDATA)$/i;

/** The part of the environment a worker may see: no variable that could carry a passphrase or a token. */
export function workerEnvironment(): Record<string, string> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && NEEDED.test(name)) env[name] = value;
  }
  return env;
}

/**
 * The same for a worker through which large blocks pass. glibc hands a block above a certain size back as soon as it is
 * freed, raises that size to the largest block it ever saw, and keeps a heap for each of several threads: what a worker
 * held then depended on which thread had freed what. Other C libraries do not read these names.
 */
export function steadyEnvironment(): Record<string, string> {
  return { ...workerEnvironment(), MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_ARENA_MAX: '2' };
}

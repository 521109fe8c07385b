import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';

/** Unix socket paths are limited to about 104 bytes on the systems we run on. */
const SOCKET_PATH_MAX = 100;

/** When a process started, in clock ticks since boot, so that a reused process id is not taken for its owner. */
function startedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold spaces; field 22 counts from after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export interface SecondInstance {
  readonly argv: readonly string[];
  readonly cwd: string;
}

/** One instance per data folder. A second one tells the first what it was asked, over a local socket, and leaves. */
export class InstanceLock {
  readonly #file: string;
  readonly #socket: string;
  #server: Server | undefined;
  #held = false;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#file = join(folder, 'instance.lock');
    this.#socket =
      process.platform === 'win32'
        ? `\\\\.\\pipe\\${this.#file.replaceAll(/[\\:]/g, '-')}`
        : join(folder, 'instance.sock');
  }

  get held(): boolean {
    return this.#held;
  }

  /** Takes the lock unless a live process has it. */
  take(onSecond: (second: SecondInstance) => void): boolean {
    if (this.#held) return true;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      try {
        const handle = openSync(this.#file, 'wx', 0o600);
        writeSync(handle, `${process.pid} ${startedAt(process.pid)}`);
        closeSync(handle);
        this.#held = true;
        this.#listen(onSecond);
        return true;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
        const [pid = '', start = ''] = readFileSync(this.#file, 'utf8').split(' ');
        const owner = Number(pid);
        // An empty file is another process between creating and writing it.
        if (pid === '' || (owner !== process.pid && isAlive(owner) && startedAt(owner) === start))
          return false;
        rmSync(this.#file, { force: true });
      }
    }
    return false;
  }

  #listen(onSecond: (second: SecondInstance) => void): void {
    if (this.#socket.length > SOCKET_PATH_MAX) return;
    if (process.platform !== 'win32') rmSync(this.#socket, { force: true });
    this.#server = createServer((socket) => {
      let text = '';
      socket.setEncoding('utf8');
      socket.on('error', () => undefined);
      socket.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > 65_536) socket.destroy();
      });
      socket.on('end', () => {
        try {
          onSecond(JSON.parse(text) as SecondInstance);
        } catch {
          // Not a message of ours: nothing to do.
        }
      });
    });
    // Without the socket the lock still holds; a second start merely does not raise the first window.
    this.#server.on('error', () => undefined);
    this.#server.listen(this.#socket);
    this.#server.unref();
  }

  /** Tells the holder of the lock that somebody tried to start again. */
  async notify(second: SecondInstance): Promise<void> {
    if (this.#socket.length > SOCKET_PATH_MAX) return;
    await new Promise<void>((done) => {
      const socket = connect(this.#socket, () => socket.end(JSON.stringify(second)));
      socket.on('close', () => done());
      socket.on('error', () => done());
      socket.setTimeout(1000, () => socket.destroy());
    });
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#server?.close();
    rmSync(this.#file, { force: true });
  }
}

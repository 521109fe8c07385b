import { EventEmitter } from 'node:events';
import { refuseUnknownMembers } from './missing.ts';

export interface IpcEvent {
  readonly type: 'frame';
  readonly sender: unknown;
  readonly senderFrame: unknown;
  readonly frameId: number;
  readonly processId: number;
}

type Handler = (event: IpcEvent, ...args: unknown[]) => unknown;

/** Electron's `ipcMain`: one handler per channel for `invoke`, listeners for `send`. */
export class StandInIpcMain extends EventEmitter {
  readonly #handlers = new Map<string, Handler>();

  handle(channel: string, handler: Handler): void {
    if (this.#handlers.has(channel))
      throw new Error(`Attempted to register a second handler for '${channel}'`);
    this.#handlers.set(channel, handler);
  }

  handleOnce(channel: string, handler: Handler): void {
    this.handle(channel, (event, ...args) => {
      this.removeHandler(channel);
      return handler(event, ...args);
    });
  }

  removeHandler(channel: string): void {
    this.#handlers.delete(channel);
  }

  /** Called by the web contents; rejects as Electron does when nobody handles the channel. */
  async dispatch(event: IpcEvent, channel: string, args: readonly unknown[]): Promise<unknown> {
    const handler = this.#handlers.get(channel);
    if (handler === undefined) throw new Error(`No handler registered for '${channel}'`);
    return await handler(event, ...args);
  }
}
refuseUnknownMembers(StandInIpcMain, 'electron.ipcMain');

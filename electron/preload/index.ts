import { contextBridge, ipcRenderer, webUtils } from 'electron';
import { CHANNEL_NAMES, type ChannelName, EVENT_NAMES } from '../../shared/contract/channel-names.ts';

type EventName = (typeof EVENT_NAMES)[number];

const channels: ReadonlySet<string> = new Set(CHANNEL_NAMES);
const events: ReadonlySet<string> = new Set(EVENT_NAMES);

/** All the window can reach: calls and events of the contract, the path of a dropped file, the platform's name. */
const bridge = {
  /** Answers a `Result`; rejects only for a channel that the contract does not have. */
  call: async (channel: ChannelName, input: unknown): Promise<unknown> => {
    if (!channels.has(channel)) throw new TypeError(`There is no channel '${String(channel)}'.`);
    return await ipcRenderer.invoke(channel, input);
  },
  /** Listens to a push event; the answer stops listening. */
  on: (event: EventName, listener: (payload: unknown) => void): (() => void) => {
    if (!events.has(event)) throw new TypeError(`There is no event '${String(event)}'.`);
    // Electron's event object stays here: it carries the sender.
    const run = (_event: unknown, payload: unknown): void => listener(payload);
    ipcRenderer.on(event, run);
    return () => void ipcRenderer.removeListener(event, run);
  },
  /** The path of a file the user dropped or chose; empty when it is no file of the disk. */
  pathForFile: async (file: File): Promise<string> => await webUtils.getPathForFile(file),
  platform: process.platform,
};

export type SallyportBridge = typeof bridge;

contextBridge.exposeInMainWorld('sallyport', bridge);

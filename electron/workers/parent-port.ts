/** The parent as a worker entry sees it, in Electron's utility process and in a forked Node process alike. */
export interface ParentPort {
  postMessage(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** Shape of `process.parentPort` in a utility process; typed here so that workers need no Electron types. */
interface UtilityPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): void;
}

/** The channel to the parent. A worker whose parent is gone ends itself: nobody would read its result. */
export function parentPort(): ParentPort {
  const utility = (process as unknown as { readonly parentPort?: UtilityPort }).parentPort;
  if (utility) {
    return {
      postMessage: (message) => utility.postMessage(message),
      onMessage: (listener) => utility.on('message', (event) => listener(event.data)),
    };
  }
  const send = process.send?.bind(process);
  if (!send) throw new Error('This file is a worker: it is started by the program, not by hand.');
  process.on('disconnect', () => process.exit(0));
  return {
    postMessage: (message) => {
      // The callback swallows EPIPE of a parent that went away between two messages; `disconnect` follows.
      send(message, undefined, undefined, () => {});
    },
    onMessage: (listener) => process.on('message', listener),
  };
}

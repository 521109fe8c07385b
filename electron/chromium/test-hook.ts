import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DialogAnswer, StandInDialogs } from './dialog.ts';
import type { Host } from './host.ts';

/**
 * For the e2e suite only, and only when the process was forked with a channel and `SALLYPORT_STANDIN_TEST=1`:
 * tells the parent where Chromium's DevTools are, and takes answers for dialogs. The stand-in is not part of
 * any package, so neither is this.
 */
export const TEST_HOOK = 'SALLYPORT_STANDIN_TEST';

export type HookMessage = { readonly hook: 'dialog'; readonly answer: DialogAnswer };

export function isTestHook(env: NodeJS.ProcessEnv): boolean {
  return env[TEST_HOOK] === '1' && process.send !== undefined;
}

/** Answers the address of Chromium's DevTools once its file is there. */
export async function devtoolsAddress(profile: string): Promise<string> {
  const file = join(profile, 'DevToolsActivePort');
  const [port, path] = readFileSync(file, 'utf8').trim().split('\n');
  return `ws://127.0.0.1:${port}${path}`;
}

export function installTestHook(host: Host, dialogs: StandInDialogs, onParentGone: () => void): void {
  process.on('message', (message: HookMessage) => {
    if (message.hook === 'dialog') dialogs.queue.push(message.answer);
  });
  // A suite that is killed must not leave windows behind.
  process.on('disconnect', onParentGone);
  // The channel alone must not keep the process alive.
  process.channel?.unref();
  process.send?.({ hook: 'ready' });
  void host
    .context()
    .then(() => devtoolsAddress(host.profile))
    .then((address) => process.send?.({ hook: 'devtools', address }))
    .catch((error: unknown) => process.send?.({ hook: 'failed', message: String(error) }));
}

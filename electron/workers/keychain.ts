/**
 * Entry of the process that talks to the operating system's keychain. On its own because the library crashes its
 * process when a prompt is cancelled on some desktops, fails to load where libsecret is missing, and blocks in prompts.
 */
import { parentPort } from './parent-port.ts';

/** One call; `service` and `account` as the keychain shows them. */
export type KeychainRequest =
  | { readonly id: number; readonly call: 'get'; readonly service: string; readonly account: string }
  | {
      readonly id: number;
      readonly call: 'set';
      readonly service: string;
      readonly account: string;
      readonly value: string;
    }
  | { readonly id: number; readonly call: 'delete'; readonly service: string; readonly account: string };

export type KeychainReply =
  | { readonly id: number; readonly ok: true; readonly value: string | null }
  /** `stage` tells a library that does not load from a keychain that refuses. */
  | { readonly id: number; readonly ok: false; readonly stage: 'load' | 'call'; readonly message: string };

type Keytar = Pick<typeof import('keytar'), 'getPassword' | 'setPassword' | 'deletePassword'>;

async function load(): Promise<Keytar> {
  const module: { readonly default?: Keytar } & Keytar = await import('keytar');
  return module.default ?? module;
}

const PROBE_ACCOUNT = 'probe';

/**
 * A locked Secret Service answers "nothing by that name" to reading and to deleting alike, which would look like a
 * wiped keychain. Only a write tells: it fails there. Elsewhere reading a locked keychain is an error by itself.
 */
async function confirmUnlocked(keytar: Keytar, service: string): Promise<void> {
  if (process.platform !== 'linux') return;
  await keytar.setPassword(
    service,
    PROBE_ACCOUNT,
    'written and removed to see whether the keychain is unlocked',
  );
  await keytar.deletePassword(service, PROBE_ACCOUNT);
}

async function perform(keytar: Keytar, request: KeychainRequest): Promise<string | null> {
  switch (request.call) {
    case 'get': {
      const value = await keytar.getPassword(request.service, request.account);
      if (value === null) await confirmUnlocked(keytar, request.service);
      return value;
    }
    case 'set':
      await keytar.setPassword(request.service, request.account, request.value);
      return null;
    case 'delete':
      if (!(await keytar.deletePassword(request.service, request.account)))
        await confirmUnlocked(keytar, request.service);
      return null;
  }
}

async function answer(request: KeychainRequest): Promise<KeychainReply> {
  let keytar: Keytar;
  try {
    keytar = await load();
  } catch (error) {
    return {
      id: request.id,
      ok: false,
      stage: 'load',
      message: error instanceof Error ? error.message : String(error),
    };
  }
  try {
    return { id: request.id, ok: true, value: await perform(keytar, request) };
  } catch (error) {
    return {
      id: request.id,
      ok: false,
      stage: 'call',
      message: error instanceof Error ? error.message : String(error),
    };
  }
}

const port = parentPort();
port.onMessage((message) => {
  void answer(message as KeychainRequest).then((reply) => port.postMessage(reply));
});

import type {
  ChannelInput,
  ChannelName,
  ChannelOutput,
  EventName,
  EventPayload,
} from '../../shared/contract/channels.ts';
import { fromWireError, type Result } from '../../shared/contract/result.ts';
import { SallyportError } from '../../shared/domain/errors.ts';

/** What the preload exposes: two contract-keyed functions, the path of a dropped file, and the platform's name. */
export interface SallyportBridge {
  call<C extends ChannelName>(channel: C, input: ChannelInput<C>): Promise<Result<ChannelOutput<C>>>;
  on<E extends EventName>(event: E, listener: (payload: EventPayload<E>) => void): () => void;
  pathForFile(file: File): Promise<string> | string;
  readonly platform: string;
}

/** The bridge, or a typed error where the page was opened outside the program's window. */
function bridge(): SallyportBridge {
  const found = (globalThis as { readonly sallyport?: SallyportBridge }).sallyport;
  if (found === undefined) {
    throw new SallyportError('unexpected', 'This page was opened outside the Sallyport window.', {
      hint: 'Start Sallyport itself; the page has no access to a vault in a plain browser.',
    });
  }
  return found;
}

/**
 * Calls a channel of the contract and unwraps its Result: the value, or the wire error thrown as SallyportError.
 * The one place where the window turns data back into a thrown error.
 */
export async function call<C extends ChannelName>(
  channel: C,
  input: ChannelInput<C>,
): Promise<ChannelOutput<C>> {
  const result = await bridge().call(channel, input);
  if (!result.ok) throw fromWireError(result.error);
  return result.value;
}

/** Listens to a push event; the returned function stops listening. */
export function onEvent<E extends EventName>(
  event: E,
  listener: (payload: EventPayload<E>) => void,
): () => void {
  return bridge().on(event, listener);
}

/** Absolute path of a file the user dropped, as the operating system names it. */
export async function pathForFile(file: File): Promise<string> {
  const path = await bridge().pathForFile(file);
  if (path === '') {
    throw new SallyportError('input.invalid', `"${file.name}" has no path on this computer.`, {
      hint: 'Nothing was read. Choose the file with the Browse button instead.',
    });
  }
  return path;
}

/** The platform's name as Node spells it (`darwin`, `win32`, `linux`). */
export function platform(): string {
  return bridge().platform;
}

/** Any thrown value as a SallyportError, so that every place shows message, hint and code. */
export function asProblem(error: unknown): SallyportError {
  if (error instanceof SallyportError) return error;
  return new SallyportError('unexpected', 'The window met an unexpected problem.', {
    hint: 'Nothing was changed. Try again; if it stays, restart Sallyport.',
    cause: error,
  });
}

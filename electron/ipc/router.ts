/**
 * The one border between the window and this process. Each call is checked here and nowhere else: who sends it,
 * whether its input is what the contract says, and what of its outcome may leave.
 */
import type { z } from 'zod';
import type { ChannelName } from '../../shared/contract/channel-names.ts';
import {
  CHANNELS,
  type ChannelOutput,
  type Channels,
  EVENTS,
  type EventName,
  type EventPayload,
} from '../../shared/contract/channels.ts';
import { type Result, toWireError } from '../../shared/contract/result.ts';
import { SallyportError } from '../../shared/domain/errors.ts';

/** Input as the handler sees it: parsed, defaults filled in. */
export type HandlerInput<C extends ChannelName> = z.output<Channels[C]['input']>;
export type Handler<C extends ChannelName> = (
  input: HandlerInput<C>,
) => ChannelOutput<C> | Promise<ChannelOutput<C>>;

/** The part of an IPC event that says where it came from. */
export interface SenderEvent {
  readonly sender: { readonly mainFrame: unknown };
  readonly senderFrame: { readonly url: string; readonly parent: unknown } | null;
}

export interface RouterIpc {
  handle(channel: string, listener: (event: SenderEvent, ...args: unknown[]) => Promise<unknown>): void;
}

export interface RouterLog {
  error(facts: Readonly<Record<string, unknown>>, message: string): void;
}

export interface RouterOptions {
  readonly ipcMain: RouterIpc;
  readonly isTrustedSender: (event: SenderEvent) => boolean;
  /** Where pushes go: the windows that are open now. */
  readonly receivers: () => readonly { send(channel: string, payload: unknown): void }[];
  readonly log: RouterLog;
}

export interface Router {
  /** Serves one channel; a second handler for it is a programming error. */
  register<C extends ChannelName>(channel: C, handler: Handler<C>): void;
  /** All handlers are registered: calls that came before are answered now. */
  open(): void;
  /** The services could not be started: every call is answered with the reason. */
  fail(error: unknown): void;
  /** Pushes an event to every window. */
  broadcast<E extends EventName>(event: E, payload: EventPayload<E>): void;
}

/** True for the main frame of a window of ours that shows our own page. */
export function createSenderCheck(isAppUrl: (url: string) => boolean): (event: SenderEvent) => boolean {
  return ({ sender, senderFrame }) =>
    senderFrame !== null &&
    senderFrame.parent === null &&
    senderFrame === sender.mainFrame &&
    isAppUrl(senderFrame.url);
}

/** The paths and rules that failed, never the values: an input may hold a passphrase. */
function inputError(channel: ChannelName, error: z.ZodError): SallyportError {
  const [first] = error.issues;
  const field = first?.path.join('.') ?? '';
  return new SallyportError(
    'input.invalid',
    `${field === '' ? channel : `${channel}: ${field}`} is not valid: ${first?.message ?? 'unknown rule'}.`,
    {
      hint: 'Nothing was changed. Correct the value and try again.',
      facts: { channel, field, problems: error.issues.length },
    },
  );
}

export function createRouter(options: RouterOptions): Router {
  const { ipcMain, isTrustedSender, log } = options;
  const handlers = new Map<ChannelName, (input: never) => unknown>();
  const gate = Promise.withResolvers<void>();
  // A failure is told to each caller; without one it is nobody's unhandled rejection.
  gate.promise.catch(() => undefined);

  const answer = async (channel: ChannelName, input: unknown): Promise<Result<unknown>> => {
    try {
      const parsed = CHANNELS[channel].input.safeParse(input);
      if (!parsed.success) throw inputError(channel, parsed.error);
      // The window is up before the services are: early calls wait for them.
      await gate.promise;
      const handler = handlers.get(channel);
      if (handler === undefined)
        throw new SallyportError('unexpected', `${channel} is not served by this build.`);
      // Parsing what goes out drops every field the contract does not name.
      return { ok: true, value: CHANNELS[channel].output.parse(await handler(parsed.data as never)) };
    } catch (error) {
      if (!(error instanceof SallyportError)) {
        const { name, message, stack } =
          error instanceof Error ? error : { name: 'Error', message: String(error), stack: undefined };
        log.error({ channel, name, message, stack }, 'A call failed unexpectedly.');
      }
      return { ok: false, error: toWireError(error) };
    }
  };

  for (const channel of Object.keys(CHANNELS) as ChannelName[]) {
    ipcMain.handle(channel, async (event, input) => {
      if (!isTrustedSender(event)) {
        log.error(
          { channel, sender: event.senderFrame?.url ?? 'gone' },
          'A call from a foreign page was refused.',
        );
        // Rejected, not answered: a foreign page gets no Result to work with.
        throw new Error('Refused.');
      }
      return await answer(channel, input);
    });
  }

  return {
    register(channel, handler) {
      if (handlers.has(channel)) throw new Error(`${channel} has two handlers.`);
      handlers.set(channel, handler as (input: never) => unknown);
    },
    open: () => gate.resolve(),
    fail: (error) => gate.reject(error),
    broadcast(event, payload) {
      const parsed = EVENTS[event].parse(payload);
      for (const receiver of options.receivers()) receiver.send(event, parsed);
    },
  };
}

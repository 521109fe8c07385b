/**
 * The wire between the window and the main process, owned by neither: every call with its input and output,
 * every push event with its payload. A channel `area.method` is served by the method of that name of the
 * service of that area; the command line calls the same methods.
 */
import { z } from 'zod';
import { jobProgressSchema, rolloutViewSchema } from '../domain/view/views.ts';
import { administrationChannels } from './areas/administration.ts';
import { evidenceChannels } from './areas/evidence.ts';
import { registryChannels } from './areas/registry.ts';
import { releasesChannels } from './areas/releases.ts';
import { sessionChannels } from './areas/session.ts';
import type { ChannelName } from './channel-names.ts';

export type { ChannelName };

export const CHANNELS = {
  ...sessionChannels,
  ...registryChannels,
  ...evidenceChannels,
  ...releasesChannels,
  ...administrationChannels,
} as const satisfies Record<ChannelName, { input: z.ZodType; output: z.ZodType }>;

export type Channels = typeof CHANNELS;
export type ChannelInput<C extends ChannelName> = z.input<Channels[C]['input']>;
export type ChannelOutput<C extends ChannelName> = z.output<Channels[C]['output']>;

/** Topics a window's cache is keyed by; `invalidated` names those that changed. */
export const topicSchema = z.enum([
  'session',
  'vault',
  'models',
  'validation',
  'comparison',
  'evidence',
  'operators',
  'environments',
  'requests',
  'endpoints',
  'rollouts',
  'audit',
  'overview',
]);
export type Topic = z.infer<typeof topicSchema>;

export const EVENTS = {
  invalidated: z.object({ topics: z.array(topicSchema) }),
  'job.progress': jobProgressSchema,
  'rollout.updated': rolloutViewSchema,
  'menu.command': z.object({ command: z.string() }),
  appearance: z.object({ dark: z.boolean() }),
} as const;
export type EventName = keyof typeof EVENTS;
export type EventPayload<E extends EventName> = z.output<(typeof EVENTS)[E]>;

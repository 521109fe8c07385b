import type { ChannelName, Topic } from '../../shared/contract/channels.ts';

/** The area a channel belongs to: `models` of `models.list`. */
type AreaOf<C extends string> = C extends `${infer A}.${string}` ? A : never;
export type Area = AreaOf<ChannelName>;

/**
 * Topics whose change makes an area's cached answers stale. A view joins records of several topics
 * (a version page says where it is deployed), so one area can hang on several.
 */
const STALE_ON: Readonly<Record<Area, readonly Topic[]>> = {
  session: ['session', 'operators'],
  vault: ['session', 'vault', 'models'],
  overview: ['overview', 'models', 'validation', 'requests', 'endpoints', 'rollouts', 'audit'],
  models: ['models', 'validation', 'endpoints', 'rollouts'],
  validation: ['validation'],
  comparison: ['comparison'],
  evidence: ['evidence', 'validation', 'comparison'],
  datasets: ['evidence'],
  operators: ['operators'],
  environments: ['environments'],
  requests: ['requests', 'rollouts'],
  endpoints: ['endpoints', 'rollouts', 'environments'],
  rollouts: ['rollouts'],
  audit: ['audit'],
  jobs: [],
  dialogs: [],
};

export function areaOf(channel: ChannelName): Area {
  return channel.slice(0, channel.indexOf('.')) as Area;
}

/** Key of a cached answer: area first, so that an area can be made stale as a whole. */
export function queryKey(channel: ChannelName, input: unknown): readonly unknown[] {
  return [areaOf(channel), channel, input];
}

/** Areas to refetch when these topics changed. */
export function staleAreas(topics: readonly Topic[]): Area[] {
  return (Object.keys(STALE_ON) as Area[]).filter((area) =>
    STALE_ON[area].some((topic) => topics.includes(topic)),
  );
}

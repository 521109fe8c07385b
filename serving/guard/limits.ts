/** Every bound of the agent, with its default. */
import { z } from 'zod';

const count = (min: number, max: number, fallback: number) =>
  z.number().int().min(min).max(max).default(fallback);

/** Requests or rows a second; 0 = not limited. */
const rate = (fallback: number) => z.number().min(0).max(10_000_000).default(fallback);

export const limitsSchema = z.strictObject({
  /** Largest predict body in bytes. */
  bodyBytes: count(1024, 256 * 1024 * 1024, 4 * 1024 * 1024),
  /** Most rows in one predict call. */
  rows: count(1, 1_000_000, 4096),
  /** Predict calls that may wait or run at once; one more is answered 503. */
  inFlight: count(1, 100_000, 256),
  /** Longest time a call waits for its answer, in milliseconds. */
  predictTimeoutMs: count(10, 600_000, 10_000),
  /** Longest time a client may take to send a request's headers and body, in milliseconds. */
  requestTimeoutMs: count(100, 3_600_000, 30_000),
  /** Longest time a client may take to send a request's headers, in milliseconds; never more than the above. */
  headersTimeoutMs: count(100, 600_000, 10_000),
  /** Longest time a client may take to receive an answer, in milliseconds. */
  answerTimeoutMs: count(100, 3_600_000, 30_000),
  /** An idle connection is kept so long, in milliseconds. */
  keepAliveMs: count(0, 3_600_000, 72_000),
  /** Requests after which a connection is ended; 0 = never. */
  requestsPerConnection: count(0, 10_000_000, 100_000),
  /** Connections of one listener; further ones are closed at once. */
  connections: count(1, 100_000, 2048),
  /** Requests of one listener that may be under way, reading and answering included; one more is answered 503. */
  requests: count(1, 100_000, 1024),
  /** Requests of one token that may be under way; one more is answered 429. */
  requestsPerToken: count(1, 100_000, 512),
  /** Most bytes of the request line and headers together. */
  headerBytes: count(2048, 1024 * 1024, 16 * 1024),
  /** Most header lines. */
  headerCount: count(8, 2000, 64),
  /** Longest path with its query. */
  urlBytes: count(64, 64 * 1024, 2048),
  /** Per token. */
  requestsPerSecond: rate(0),
  rowsPerSecond: rate(0),
  /** How much may come at once, as so many seconds' worth of the rates. */
  burstSeconds: z.number().min(0.1).max(3600).default(2),
  /** Per address, for what needs no token, and, counted apart, for calls without a valid one. */
  addressRequestsPerSecond: rate(100),
  /** How long running calls may take to finish after a stop was asked for, in milliseconds. */
  drainMs: count(0, 600_000, 10_000),
  /** Largest model file in bytes. */
  modelBytes: z
    .number()
    .int()
    .min(1024)
    .default(2 * 1024 ** 3),
  /** A push that would leave less free disk than this is refused, so that serving keeps its room. */
  reserveBytes: z
    .number()
    .int()
    .min(0)
    .default(64 * 1024 * 1024),
  /** Releases kept per model beside stable, canary and previous. */
  keepReleases: count(0, 1000, 3),
  /** Mirrored pairs that may wait; one more is dropped and counted. */
  mirrorQueue: count(0, 100_000, 64),
  /** A canary's guards and lease are judged this often, in milliseconds. */
  guardMs: count(20, 60_000, 1000),
  /** Stored releases are hashed again this often, in minutes; 0 = only when they are loaded. */
  verifyMinutes: z.number().min(0).max(10_080).default(60),
  /** Idempotency keys remembered with their answers. */
  rememberedKeys: count(10, 100_000, 200),
});

export type AgentLimits = z.infer<typeof limitsSchema>;

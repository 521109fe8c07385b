/** Pieces that several areas of the contract share. */
import { z } from 'zod';

export const nothing = z.object({});
export const done = z.object({ done: z.literal(true) });
export const jobId = z.string().min(1).max(100);
export const path = z.string().min(1).max(4096);
export const id = z.string().min(1).max(200);
export const passphrase = z.string().min(1).max(1024);
/** Where a vault's keys are kept. */
export const keysChoice = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('keychain') }),
  z.object({ kind: z.literal('passphrase'), passphrase }),
]);

import { z } from 'zod';

/** Media type of a receipt inside its envelope. */
export const RECEIPT_TYPE = 'application/vnd.sallyport.receipt+json';

/** Media type of what an agent answers to a revocation. */
export const REVOCATION_RECEIPT_TYPE = 'application/vnd.sallyport.revocation-receipt+json';

/** A DSSE envelope (secure-systems-lab/dsse, protocol.md). */
export const dsseEnvelopeSchema = z.object({
  payloadType: z.string(),
  payload: z.base64(),
  signatures: z
    .array(z.object({ keyid: z.string().optional(), sig: z.base64() }))
    .min(1)
    .max(10),
});
export type DsseEnvelope = z.infer<typeof dsseEnvelopeSchema>;

/**
 * The part of DSSE's pre-authentication encoding that comes before the payload; `payloadLength` in bytes. Types are
 * ASCII here, so that their length in characters is their length in bytes.
 */
export function dssePrefix(payloadType: string, payloadLength: number): string {
  return `DSSEv1 ${payloadType.length} ${payloadType} ${payloadLength} `;
}

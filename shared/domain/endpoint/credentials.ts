/** What opens an endpoint: kept together as one secret, so that neither part outlives the other. Pure. */
import { z } from 'zod';
import { sha256Schema } from '../model/version.ts';

const certificatePem = z
  .string()
  .max(64 * 1024)
  .refine((text) => text.includes('-----BEGIN CERTIFICATE-----'), {
    error: 'This is not a PEM certificate.',
  });

/** How an endpoint's TLS is known, besides by the system's authorities. Public: it is kept with the endpoint. */
export const endpointTlsSchema = z.object({
  /** PEM: the only authorities that count. */
  ca: certificatePem.optional(),
  /** SHA-256 hex of the one certificate that counts. */
  certificateFingerprint: sha256Schema.optional(),
});
export type EndpointTls = z.infer<typeof endpointTlsSchema>;

/** The console's own certificate, where an agent asks for one. PEM; the key without a passphrase. */
export const clientCertificateSchema = z.object({
  cert: certificatePem,
  key: z
    .string()
    .max(16 * 1024)
    .refine((text) => /-----BEGIN (?:EC |RSA )?PRIVATE KEY-----/.test(text), {
      error: 'This is not a PEM private key without a passphrase.',
    }),
});
export type ClientCertificate = z.infer<typeof clientCertificateSchema>;

export interface EndpointCredentials {
  readonly token: string;
  readonly client: ClientCertificate | null;
}

const storedSchema = z.object({ token: z.string(), client: clientCertificateSchema });

/** A token alone is stored as it is, as it was before there were certificates. */
export function encodeCredentials({ token, client }: EndpointCredentials): string {
  return client === null ? token : JSON.stringify({ token, client });
}

export function decodeCredentials(text: string): EndpointCredentials {
  // No token begins so: they are letters, digits, dots, hyphens and underscores.
  if (!text.startsWith('{')) return { token: text, client: null };
  return storedSchema.parse(JSON.parse(text));
}

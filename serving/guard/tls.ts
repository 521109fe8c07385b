/** TLS of a listener: certificate, key and, for clients with certificates, their authority; read again on change. */
import { X509Certificate } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createSecureContext, type SecureContextOptions, TLSSocket, Server as TlsServer } from 'node:tls';
import type { Logger } from 'pino';
import { z } from 'zod';
import { SallyportError } from '../../shared/domain/errors.ts';
import { readSecretFile } from '../../shared/node/files/files.ts';
import { NO_PLACE, type Place } from '../yaml-file.ts';
import { type Refusal, refusal } from './refusal.ts';

const clientSchema = z.union([
  z.strictObject({ commonName: z.string().min(1).max(200) }),
  z.strictObject({
    /** SHA-256 of the certificate's DER, hexadecimal; colons and capitals do not matter. */
    fingerprint: z
      .string()
      .transform((text) => text.replaceAll(':', '').toLowerCase())
      .pipe(z.string().regex(/^[0-9a-f]{64}$/, { error: 'A fingerprint has 64 hexadecimal digits.' })),
  }),
]);

export const tlsSchema = z
  .strictObject({
    /** PEM: the listener's certificate, then those between it and its authority. */
    cert: z.string().min(1),
    /** PEM, without a passphrase; mode 0600. */
    key: z.string().min(1),
    /** PEM: with it, only clients with a certificate of this authority are spoken to. */
    clientCa: z.string().min(1).optional(),
    /** Which of them; all when left out. */
    clients: z.array(clientSchema).min(1).max(1000).optional(),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
    /** The files are looked at this often, in seconds. */
    reloadSeconds: z.number().min(0.05).max(3600).default(10),
  })
  .refine(({ clients, clientCa }) => clients === undefined || clientCa !== undefined, {
    path: ['clients'],
    error: 'Named clients need `clientCa`: who vouches for them.',
  });
export type TlsConfig = z.infer<typeof tlsSchema>;

type Material = SecureContextOptions & { readonly cert: string; readonly key: string };

export class ListenerTls {
  readonly config: TlsConfig;
  #material: Material;

  private constructor(config: TlsConfig, material: Material) {
    this.config = config;
    this.#material = material;
  }

  /** `input.invalid` or `usage` when the files do not make a TLS listener; told of the field of `place` that names the file. */
  static async open(config: TlsConfig, place: Place = NO_PLACE): Promise<ListenerTls> {
    return new ListenerTls(config, await readMaterial(config, place));
  }

  get options(): SecureContextOptions & { requestCert: boolean; rejectUnauthorized: boolean } {
    const mutual = this.config.clientCa !== undefined;
    return { ...this.#material, requestCert: mutual, rejectUnauthorized: mutual };
  }

  /**
   * Uses new files for new connections; those that stand keep what they began with. Files that do not fit together (one
   * of two is replaced already) change nothing. Returns what stops it.
   */
  follow(server: Server, log: Logger): () => void {
    let refused = '';
    let looking = false;
    const look = async (): Promise<void> => {
      try {
        const material = await readMaterial(this.config, NO_PLACE);
        if (sameMaterial(material, this.#material)) return;
        if (server instanceof TlsServer) server.setSecureContext(material);
        this.#material = material;
        refused = '';
        log.info({ cert: this.config.cert, ends: validTo(material.cert) }, 'TLS files read again');
      } catch (error) {
        const problem = error instanceof Error ? error.message : String(error);
        if (problem !== refused) log.error({ problem }, 'new TLS files are not used');
        refused = problem;
      }
    };
    const timer = setInterval(() => {
      if (looking) return;
      looking = true;
      void look().finally(() => {
        looking = false;
      });
    }, this.config.reloadSeconds * 1000);
    timer.unref();
    return () => clearInterval(timer);
  }

  /** Null when the connection's client certificate is one of those named, or none is asked for. */
  clientProblem(socket: unknown): Refusal | null {
    const { clients } = this.config;
    if (!clients) return null;
    const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
    if (certificate && clients.some((client) => isClient(client, certificate))) return null;
    return refusal('certificate', 403, 'This client certificate is not one of those let in.', {
      connection: 'close',
    });
  }
}

function isClient(client: z.infer<typeof clientSchema>, certificate: X509Certificate): boolean {
  if ('fingerprint' in client)
    return certificate.fingerprint256.replaceAll(':', '').toLowerCase() === client.fingerprint;
  return certificate.subject.split('\n').includes(`CN=${client.commonName}`);
}

async function readMaterial({ cert, key, clientCa, minVersion }: TlsConfig, place: Place): Promise<Material> {
  const material = {
    cert: await place.at('cert').check(() => readPem(cert)),
    // Tools that renew certificates put links in place; what counts is the file behind.
    key: await place.at('key').check(async () => readSecretFile(await realpath(key).catch(() => key))),
    ...(clientCa === undefined ? {} : { ca: await place.at('clientCa').check(() => readPem(clientCa)) }),
    minVersion,
  };
  try {
    createSecureContext(material);
    return material;
  } catch {
    // No cause: it could quote the key.
    throw place.at('key').refuse(`${cert} and ${key} are not a certificate and its key.`, {
      hint: 'They are PEM files; the key must be the certificate’s own, without a passphrase.',
    });
  }
}

async function readPem(path: string): Promise<string> {
  let text = '';
  try {
    text = await readFile(path, 'utf8');
    validTo(text);
    return text;
  } catch (cause) {
    throw new SallyportError(
      'input.invalid',
      `${path} ${text === '' ? 'cannot be read' : 'does not hold a PEM certificate'}.`,
      { hint: 'Check the path and who may read it.', cause },
    );
  }
}

function validTo(pem: string): string {
  return new X509Certificate(pem).validTo;
}

function sameMaterial(a: Material, b: Material): boolean {
  return a.cert === b.cert && a.key === b.key && a.ca === b.ca;
}

/** X.509 certificates for tests, written byte by byte (RFC 5280): P-256 keys, ECDSA with SHA-256. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';

export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
  /** SHA-256 hex of the DER. */
  readonly fingerprint: string;
  readonly name: string;
  readonly privateKey: KeyObject;
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  const length =
    body.length < 128
      ? [body.length]
      : body.length < 256
        ? [0x81, body.length]
        : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const nameOf = (commonName: string): Buffer =>
  sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(commonName)))));
const utc = (date: Date): Buffer =>
  der(0x17, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
const extension = (id: string, value: Buffer): Buffer => sequence(oid(id), der(0x04, value));

/** Signed by `issuer`, or by itself as an authority. Good for 127.0.0.1 and `localhost` from yesterday to tomorrow. */
export function certificate(
  name: string,
  issuer?: TestCertificate,
  options: { ended?: boolean; elsewhere?: boolean } = {},
): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaSha256 = sequence(oid('2a8648ce3d040302'));
  const day = 86_400_000;
  const end = Date.now() + (options.ended ? -day / 2 : day);
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaSha256,
    nameOf(issuer?.name ?? name),
    sequence(utc(new Date(Date.now() - day)), utc(new Date(end))),
    nameOf(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(
      0xa3,
      sequence(
        extension('551d13', issuer ? sequence() : sequence(der(0x01, Buffer.from([255])))),
        extension(
          '551d11',
          options.elsewhere
            ? sequence(der(0x82, Buffer.from('elsewhere.example')))
            : sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1]))),
        ),
      ),
    ),
  );
  const signature = sign('sha256', body, issuer?.privateKey ?? privateKey);
  const bytes = sequence(body, ecdsaSha256, der(0x03, Buffer.from([0]), signature));
  const lines = bytes.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  const cert = `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
  return {
    cert,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    fingerprint: new X509Certificate(cert).fingerprint256.replaceAll(':', '').toLowerCase(),
    name,
    privateKey,
  };
}

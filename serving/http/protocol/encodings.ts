/** Compressed bodies, in both directions, within bounds. */
import { promisify } from 'node:util';
import { deflate, gunzip, gzip, inflate } from 'node:zlib';
import { malformed } from '../../../shared/domain/open-inference/problem.ts';
import { refusal } from '../../guard/refusal.ts';
import { Refused } from '../server.ts';

const DECODERS = { gzip: promisify(gunzip), deflate: promisify(inflate) } as const;
const ENCODERS = { gzip: promisify(gzip), deflate: promisify(deflate) } as const;
type Encoding = keyof typeof DECODERS;

/** A smaller answer takes longer to compress than to send, in bytes. */
const WORTH_IT = 1024;
/** The quickest: answers are waited for. */
const LEVEL = 1;

/** The body as it was before it was compressed; never more than `limit` bytes of it are made. 400, 413, 415. */
export async function decodeBody(body: Buffer, encoding: string | undefined, limit: number): Promise<Buffer> {
  const name = encoding?.trim().toLowerCase() ?? 'identity';
  if (name === 'identity' || name === '') return body;
  if (!isEncoding(name))
    throw new Refused(
      refusal('malformed', 415, 'A body may be compressed with gzip or deflate, and with one of them only.', {
        'accept-encoding': 'gzip, deflate, identity',
      }),
    );
  try {
    return await DECODERS[name](body, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new Refused(
        refusal('malformed', 413, `The body is larger than ${limit} bytes when it is unpacked.`),
      );
    throw malformed(`The body is not what ${name} makes.`);
  }
}

/** Compressed where the caller takes it and it is worth it; `encoding` null = as it is. */
export async function encodeBody(
  body: Buffer,
  accepted: string | undefined,
): Promise<{ readonly body: Buffer; readonly encoding: Encoding | null }> {
  const encoding = body.length >= WORTH_IT ? chosen(accepted) : null;
  return encoding === null
    ? { body, encoding }
    : { body: await ENCODERS[encoding](body, { level: LEVEL }), encoding };
}

function chosen(accepted: string | undefined): Encoding | null {
  for (const part of (accepted ?? '').toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((text) => text.trim());
    const refused = parameters.some((text) => /^q=0(?:\.0*)?$/.test(text));
    if (isEncoding(name) && !refused) return name;
  }
  return null;
}

function isEncoding(name: string): name is Encoding {
  return Object.hasOwn(DECODERS, name);
}

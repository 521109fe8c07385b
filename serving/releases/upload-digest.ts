/** The digest of a file that is still on its way in: decrypted and hashed as it is written. */
import { createHash } from 'node:crypto';
import { SallyportError } from '../../shared/domain/errors.ts';
import type { AgeOpener } from '../../shared/node/age/index.ts';

/** A file of an opened release. */
export interface ExpectedFile {
  readonly name: string;
  /** Of its plaintext, as it was signed. */
  readonly digest: string;
  /** Of its plaintext, as it was announced: nobody signed it. */
  readonly sizeBytes: number;
  /** Opens `fileBytes` of ciphertext as they come. */
  readonly opener: (fileBytes: number, use: (plaintext: Uint8Array) => void) => AgeOpener;
}

export function notAsSigned(
  { name, digest }: Pick<ExpectedFile, 'name' | 'digest'>,
  actual: string,
): SallyportError {
  return new SallyportError('integrity.artifact', `${name} is not the file that was signed.`, {
    hint: 'It was thrown away. Send it again.',
    facts: { expected: digest, actual },
  });
}

export class UploadDigest {
  readonly #file: ExpectedFile;
  readonly #fileBytes: number;
  readonly #opener: AgeOpener;
  readonly #hash = createHash('sha256');
  #verified: string | null = null;

  /** `fileBytes` = of the whole ciphertext. */
  constructor(file: ExpectedFile, fileBytes: number) {
    this.#file = file;
    this.#fileBytes = fileBytes;
    this.#opener = file.opener(fileBytes, (plaintext) => this.#hash.update(plaintext));
  }

  /** Bytes of ciphertext so far. */
  get position(): number {
    return this.#opener.received;
  }

  /** SHA-256 hex of the plaintext once all of it was there and was what was signed; null before. */
  get verified(): string | null {
    return this.#verified;
  }

  /** `integrity.artifact` or `auth.failed` as soon as the file cannot be the signed one any more; then it is none at all. */
  async update(piece: Uint8Array): Promise<void> {
    await this.#opener.update(piece);
    if ((this.#opener.plaintextBytes ?? 0) > this.#file.sizeBytes)
      throw new SallyportError('integrity.artifact', `${this.#file.name} is larger than was announced.`, {
        hint: 'It was thrown away. Open the release again, and send it.',
      });
    if (this.#opener.received < this.#fileBytes) return;
    const digest = this.#hash.digest('hex');
    if (digest !== this.#file.digest) throw notAsSigned(this.#file, digest);
    this.#verified = digest;
  }
}

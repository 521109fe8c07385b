/** age v1 files (C2SP age.md): X25519 recipients and passphrases, in memory, streamed, and read at random. */
export { decryptBytes, encryptBytes } from './bytes.ts';
export {
  AgeWriter,
  createAgeByteSource,
  decryptFileStream,
  encryptStream,
  payloadBytesOf,
  readHeader,
} from './file.ts';
export {
  type AgeIdentity,
  checkHeaderRecipients,
  generateIdentity,
  type HeaderRecipients,
  headerLength,
  openHeader,
  recipientOf,
} from './header.ts';
export { AgeOpener } from './opener.ts';
export { decryptWithPassphrase, encryptWithPassphrase, MAX_WORK_FACTOR, WORK_FACTOR } from './passphrase.ts';
export { checkRecipient } from './recipient.ts';
export { type ResealedFile, type RewrappedFile, resealFile, rewrapHeader } from './rewrap.ts';
export { type SealedFile, sealToFile } from './sealed-file.ts';

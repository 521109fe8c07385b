/** Signing and verifying directories: every file in them, no more and no less. */

import type { KeyObject } from 'node:crypto';
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { SallyportError } from '../../domain/errors.ts';
import { signStatement, type VerifiedBundle, verifyBundle } from './bundle.ts';
import { buildStatement, isPlainRelativePath, type Resource } from './statement.ts';

function refused(what: string): SallyportError {
  return new SallyportError('integrity.signature', `The directory is not what was signed: ${what}.`, {
    hint: 'Nothing of it was used.',
  });
}

/** SHA-256 of a regular file, hex; the last part of the path may not be a link. */
async function hashFile(path: string, shown: string): Promise<string> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch {
    throw refused(`${shown} is missing or cannot be read`);
  }
  try {
    if (!(await handle.stat()).isFile()) throw refused(`${shown} is not a regular file`);
    const hash = createHash('sha256');
    for await (const piece of handle.createReadStream({ autoClose: false, highWaterMark: 1024 * 1024 }))
      hash.update(piece as Buffer);
    return hash.digest('hex');
  } finally {
    await handle.close();
  }
}

/** Every file below `dir`, as paths with `/`. `integrity.signature` for links and anything that is neither file nor directory. */
export async function listFiles(dir: string): Promise<string[]> {
  const files: string[] = [];
  const waiting = [''];
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    for (const entry of await readdir(join(dir, at), { withFileTypes: true })) {
      const name = at === '' ? entry.name : `${at}/${entry.name}`;
      if (entry.isDirectory()) waiting.push(name);
      else if (entry.isFile()) files.push(name);
      else throw refused(`${name} is ${entry.isSymbolicLink() ? 'a symbolic link' : 'not a regular file'}`);
    }
  }
  return files.sort();
}

/** Digests of the named files of a directory, in the order given. */
export async function hashDirectory(dir: string, files: readonly string[]): Promise<Resource[]> {
  const resources: Resource[] = [];
  for (const name of files) {
    if (!isPlainRelativePath(name))
      throw refused(`${JSON.stringify(name)} is not a path inside the directory`);
    resources.push({ name, digest: await hashFile(join(dir, name), name) });
  }
  return resources;
}

/** Signs every file of a directory; the bundle's JSON text. Keep it beside the directory, never in it. */
export async function signDirectory(
  dir: string,
  key: { readonly privateKeyPkcs8Pem: string | KeyObject; readonly publicKeyPem: string },
): Promise<string> {
  const resources = await hashDirectory(dir, await listFiles(dir));
  return signStatement(
    buildStatement({ name: basename(resolve(dir)), resources }),
    key.privateKeyPkcs8Pem,
    key.publicKeyPem,
  );
}

/**
 * Verifies a directory against a bundle: the signature, that every signed file is there unchanged, and that there is
 * no other, `.git*` included, which the reference implementation ignores. `allowedFiles`: names that may be signed at
 * all. The digests it answers are those of the bundle; who loads a file hashes the buffer he loads.
 */
export async function verifyDirectory(
  dir: string,
  bundleText: string,
  publicKeyPem: string,
  options: { readonly allowedFiles?: readonly string[] } = {},
): Promise<VerifiedBundle> {
  const verified = verifyBundle(bundleText, publicKeyPem);
  const signed = new Map(verified.resources.map(({ name, digest }) => [name, digest]));
  if (options.allowedFiles) {
    const foreign = verified.resources.find(({ name }) => !options.allowedFiles?.includes(name));
    if (foreign) throw refused(`${foreign.name} has no place in it`);
  }
  if (!(await lstat(dir)).isDirectory()) throw refused('it is not a directory');
  const present = await listFiles(dir);
  const extra = present.find((name) => !signed.has(name));
  if (extra !== undefined) throw refused(`${extra} was not signed`);
  for (const { name, digest } of await hashDirectory(dir, [...signed.keys()])) {
    if (signed.get(name) !== digest) throw refused(`${name} was changed`);
  }
  return verified;
}

/** Signatures over a release directory, in domain words. */
export interface ReleaseFile {
  readonly name: string;
  readonly digest: string;
}

export interface ReleaseSigner {
  /** Subject digest of the statement over these files: names the directory's exact content. */
  root(directory: string, files: readonly ReleaseFile[]): string;
  /** An OpenSSF Model Signing bundle over the directory, as JSON text. */
  sign(directory: string, files: readonly ReleaseFile[], privateKeyPem: string, publicKeyPem: string): string;
  /** What a bundle verifiably says; throws `integrity.signature`. */
  verify(
    bundle: string,
    publicKeyPem: string,
  ): { readonly root: string; readonly files: readonly ReleaseFile[] };
}

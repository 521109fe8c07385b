import type { StoreReader } from './stores.ts';

/** A stored file that a row names. */
export interface NamedArtifact {
  readonly artifactId: string;
  readonly digest: string;
  /** Bytes of plaintext. */
  readonly sizeBytes: number;
  /** Whose it is, for people. */
  readonly what: string;
}

/** Every stored file the rows name, each once: a request's model is its version's, and may have been collected with it. */
export function namedArtifacts(read: StoreReader): NamedArtifact[] {
  const named = new Map<string, NamedArtifact>();
  for (const { artifactId, digest, sizeBytes, ref } of read.allArtifacts())
    named.set(artifactId, { artifactId, digest, sizeBytes, what: `${ref.name}@${ref.version}` });
  const collected = new Set(read.collectedArtifacts());
  for (const { id } of read.requests())
    for (const { artifactId, digest, sizeBytes, name } of read.requestFiles(id)?.files ?? [])
      if (!named.has(artifactId) && !collected.has(artifactId))
        named.set(artifactId, { artifactId, digest, sizeBytes, what: `${name} of request ${id}` });
  for (const { artifactId, digest, sizeBytes, what } of read.evidenceArtifacts())
    named.set(artifactId, { artifactId, digest, sizeBytes, what });
  return [...named.values()];
}

import { basename, join } from 'node:path';
import { SallyportError } from '../../../shared/domain/errors.ts';

const ID = /^[0-9a-f]{32}$/;

/** Where a stored file lies. An id is ours and random, but comes from a database: it is never trusted to be free of a path. */
export function artifactPath(directory: string, artifactId: string): string {
  if (!ID.test(artifactId))
    throw new SallyportError('usage', 'This is not the id of a stored file.', {
      facts: { artifactId: basename(artifactId).slice(0, 100) },
    });
  return join(directory, artifactId.slice(0, 2), `${artifactId}.age`);
}

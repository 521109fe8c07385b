/** The rule is the port's, because the worker that makes backups asks it of a snapshot. */
export { type NamedArtifact, namedArtifacts } from '../../ports/named-artifacts.ts';

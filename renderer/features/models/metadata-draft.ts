import { type VersionMetadata, versionMetadataSchema } from '../../../shared/domain/model/version.ts';
import { parseParameters, writeParameters } from './guess-ref.ts';

/** What is said of a version while it is being typed: lists of figures as text, one `name = value` per line. */
export interface MetadataDraft {
  readonly description: string;
  readonly owner: string;
  readonly licence: string;
  readonly datasetDigest: string;
  readonly codeReference: string;
  readonly tags: readonly string[];
  readonly parameters: string;
  readonly metrics: string;
  /** null: nobody has said. */
  readonly permitted: boolean | null;
}

export function draftOf(metadata: VersionMetadata): MetadataDraft {
  return {
    description: metadata.description ?? '',
    owner: metadata.owner ?? '',
    licence: metadata.licence ?? '',
    datasetDigest: metadata.datasetDigest ?? '',
    codeReference: metadata.codeReference ?? '',
    tags: metadata.tags ?? [],
    parameters: writeParameters(metadata.trainingParameters),
    metrics: writeParameters(metadata.metrics),
    permitted: metadata.permittedToDeploy ?? null,
  };
}

export interface ReadDraft {
  /** Null while something cannot be read. */
  readonly metadata: VersionMetadata | null;
  readonly issues: {
    readonly parameters: string | null;
    readonly metrics: string | null;
    readonly other: string | null;
  };
}

/** The draft as a record; empty fields are left out, for they say nothing. */
export function readDraft(draft: MetadataDraft): ReadDraft {
  const parameters = parseParameters(draft.parameters);
  const figures = parseParameters(draft.metrics);
  const notNumber = Object.entries(figures.values).find(([, value]) => typeof value !== 'number');
  const bad = (read: typeof parameters): string | null =>
    read.bad.length === 0 ? null : `Not “name = value”: ${read.bad[0]}`;
  const text = (key: keyof VersionMetadata, value: string): Record<string, string> =>
    value.trim() === '' ? {} : { [key]: value.trim() };
  const parsed = versionMetadataSchema.safeParse({
    ...text('description', draft.description),
    ...text('owner', draft.owner),
    ...text('licence', draft.licence),
    ...text('datasetDigest', draft.datasetDigest),
    ...text('codeReference', draft.codeReference),
    ...(draft.tags.length === 0 ? {} : { tags: draft.tags }),
    ...(Object.keys(parameters.values).length === 0 ? {} : { trainingParameters: parameters.values }),
    ...(Object.keys(figures.values).length === 0 || notNumber !== undefined
      ? {}
      : { metrics: figures.values }),
    ...(draft.permitted === null ? {} : { permittedToDeploy: draft.permitted }),
  });
  const issue = parsed.error?.issues[0];
  const issues = {
    parameters: bad(parameters),
    metrics: bad(figures) ?? (notNumber === undefined ? null : `${notNumber[0]} is not a number.`),
    other: issue === undefined ? null : `${issue.path.join('.')}: ${issue.message}`,
  };
  const readable = issues.parameters === null && issues.metrics === null && parsed.success;
  return { metadata: readable ? parsed.data : null, issues };
}

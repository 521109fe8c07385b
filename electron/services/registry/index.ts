/** The registry of models: what the window and the command line do with versions. */
import { join } from 'node:path';
import { z } from 'zod';
import { SallyportError } from '../../../shared/domain/errors.ts';
import {
  type ComparedVersion,
  compareVersions,
  type VersionDifference,
} from '../../../shared/domain/model/difference.ts';
import {
  completeMapping,
  explainUnmappable,
  guessMapping,
} from '../../../shared/domain/model/guess-mapping.ts';
import type { Collection } from '../../../shared/domain/model/retention.ts';
import {
  type Alias,
  formatRef,
  type ModelVersion,
  type OutputMapping,
  outputMappingSchema,
  type VersionMetadata,
  type VersionRef,
} from '../../../shared/domain/model/version.ts';
import type { OnnxSummary } from '../../../shared/domain/onnx/summary.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { Finding } from '../../../shared/domain/scan/finding.ts';
import type { VersionRow, VersionView } from '../../../shared/domain/view/views.ts';
import type { ArtifactStore } from '../../ports/artifacts.ts';
import type { JobContext, System } from '../../ports/system.ts';
import type { ModelInspector } from '../../ports/vault.ts';
import { parseInput } from '../input.ts';
import type { Ledger } from '../ledger.ts';
import { namedArtifacts } from '../vault/named-artifacts.ts';
import { type AddVersionInput, addVersion } from './add-version.ts';
import { collect } from './collect.ts';
import { describeVersion, removeAlias, setAlias } from './metadata.ts';
import { versionRules } from './rules.ts';
import { type VerifiedArtifacts, verifyArtifacts, verifyStore } from './verify-artifacts.ts';
import { versionContext, versionView } from './view.ts';

export interface RegistryDeps {
  readonly ledger: Ledger;
  readonly artifacts: ArtifactStore;
  readonly inspector: ModelInspector;
  readonly system: System;
  /** Proves every page of the database; `integrity.vault` where one was changed. Left out, a sweep looks at files alone. */
  readonly proveDatabase?: (job?: JobContext) => Promise<void>;
}

export interface InspectedFile {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly onnx: OnnxSummary;
  readonly rulesRun: string[];
  readonly findings: Finding[];
  /** How its outputs would be read, or null with the reason in `mappingProblem`. */
  readonly mapping: OutputMapping | null;
  readonly mappingProblem: string;
}

export interface RegistryService {
  list(
    actor: Actor,
    input: { text: string; limit: number; offset: number },
  ): { rows: VersionRow[]; total: number };
  get(actor: Actor, input: VersionRef): VersionView;
  /** Reads and scans a file without adding it. */
  inspectFile(actor: Actor, input: { path: string }, job?: JobContext): Promise<InspectedFile>;
  add(actor: Actor, input: AddVersionInput, job?: JobContext): Promise<VersionView>;
  /** Says how outputs are read. A validated version becomes a draft again: what was measured was read otherwise. */
  setMapping(actor: Actor, input: VersionRef & { mapping: OutputMapping }): Promise<VersionView>;
  /** Replaces what is said of a version. The bytes, the lineage by parent and what was measured stay as they are. */
  describe(actor: Actor, input: VersionRef & { metadata: VersionMetadata }): Promise<VersionView>;
  /** Moves an alias; one that the vault's settings protect needs `model.alias-protected`. */
  alias(actor: Actor, input: Alias): Promise<VersionView>;
  unalias(actor: Actor, input: { name: string; alias: string }): Promise<{ removed: boolean }>;
  archive(actor: Actor, input: VersionRef): Promise<VersionView>;
  /** Withdraws trust for good, and with it every alias. Endpoints that serve it are rolled back by their own revocation. */
  revoke(actor: Actor, input: VersionRef & { reason: string }): Promise<VersionView>;
  /**
   * Decrypts and hashes one version's file, or the whole store: also files of requests, and what no record names. What
   * is wrong is in the answer, not thrown.
   */
  verify(actor: Actor, input: { ref: VersionRef | null }, job?: JobContext): Promise<VerifiedArtifacts>;
  /** Writes the model, digest-checked, to `directory/<name>-<version>.onnx`. */
  export(
    actor: Actor,
    input: VersionRef & { directory: string },
    job?: JobContext,
  ): Promise<{ path: string; digest: string }>;
  diff(actor: Actor, input: { a: VersionRef; b: VersionRef }): VersionDifference[];
  /** Applies the vault's retention rule and removes files nothing needs; `dryRun` only says what would go. */
  collect(actor: Actor, input: { dryRun: boolean }, job?: JobContext): Promise<Collection>;
}

const reasonSchema = z.string().min(1).max(2000);

export function createRegistryService(deps: RegistryDeps): RegistryService {
  const { ledger, artifacts } = deps;

  const rules = versionRules(ledger);
  const { find, allowed, checkState } = rules;

  const compared = (ref: VersionRef): ComparedVersion => {
    const version = find(ref);
    const { aliases } = versionContext(ledger.read, version);
    return { version, aliases, validation: ledger.read.validations(version)[0] ?? null };
  };
  const view = (actor: Actor, ref: VersionRef): VersionView => versionView(ledger.read, find(ref), actor);

  return {
    list: (_actor, { text, limit, offset }) => ledger.read.search({ text, limit, offset }),
    get: (actor, input) => view(actor, input),
    inspectFile: async (_actor, { path }, job) => {
      const { digest, sizeBytes, summary, rulesRun, findings } = await deps.inspector.inspect(path, job);
      return {
        digest,
        sizeBytes,
        onnx: summary,
        rulesRun: [...rulesRun],
        findings: [...findings],
        mapping: guessMapping(summary),
        mappingProblem: explainUnmappable(summary),
      };
    },
    add: async (actor, input, job) =>
      versionView(ledger.read, await addVersion(deps, actor, input, job), actor),
    setMapping: async (actor, input) => {
      const asked = parseInput(outputMappingSchema, input.mapping);
      const version = await allowed(actor, 'map', input);
      checkMapping(version, asked);
      const mapping = completeMapping(version.onnx, asked);
      await ledger.commit(
        actor,
        {
          action: 'model.mapped',
          subject: formatRef(version),
          details: {
            before: version.mapping && writtenMapping(version.mapping),
            after: writtenMapping(mapping),
          },
        },
        (tx) => {
          const current = tx.version(version) ?? version;
          checkState('map', current, tx);
          tx.setMapping(version, mapping);
          if (current.state === 'validated') tx.setState(version, 'draft');
        },
      );
      return view(actor, version);
    },
    describe: async (actor, input) => view(actor, await describeVersion(ledger, rules, actor, input)),
    alias: async (actor, input) => view(actor, await setAlias(ledger, rules, actor, input)),
    unalias: (actor, input) => removeAlias(ledger, actor, input),
    archive: async (actor, input) => {
      const version = await allowed(actor, 'archive', input);
      await ledger.commit(
        actor,
        { action: 'model.archived', subject: formatRef(version), details: { before: version.state } },
        (tx) => {
          checkState('archive', tx.version(version) ?? version, tx);
          tx.setState(version, 'archived');
        },
      );
      return view(actor, version);
    },
    revoke: async (actor, input) => {
      const reason = parseInput(reasonSchema, input.reason);
      const version = await allowed(actor, 'revoke', input);
      await ledger.commit(
        actor,
        (aliases: readonly string[]) => ({
          action: 'model.revoked',
          subject: formatRef(version),
          details: { before: version.state, digest: version.digest, reason, aliases },
        }),
        (tx) => {
          checkState('revoke', tx.version(version) ?? version, tx);
          // No champion is a revoked version: its aliases go with the trust.
          const { aliases } = versionContext(tx, version);
          for (const alias of aliases) tx.removeAlias({ name: version.name, alias });
          tx.setState(version, 'revoked');
          return aliases;
        },
      );
      return view(actor, version);
    },
    verify: async (actor, { ref }, job) => {
      const subject = ref ? formatRef(find(ref)) : 'all versions';
      await ledger.require(actor, 'model.verify', subject);
      if (ref) checkState('verify', find(ref));
      const named = () => namedArtifacts(ledger.read);
      const result = ref
        ? await verifyArtifacts(
            artifacts,
            named().filter(({ what }) => what === subject),
            job,
          )
        : await verifyStore(artifacts, named, job, deps.proveDatabase);
      const details = {
        checked: result.checked,
        bytes: result.bytes,
        bad: result.bad.map((each) => each.ref).slice(0, 100),
      };
      // It changes nothing: what is read from a disk that takes no entry is told all the same.
      await ledger.note(actor, { action: 'model.verified', subject, details });
      return result;
    },
    export: async (actor, input, job) => {
      const version = await allowed(actor, 'export', input);
      const path = join(input.directory, `${version.name}-${version.version}.onnx`);
      const exported = (details: Record<string, string>): Promise<void> =>
        ledger.commit(
          actor,
          {
            action: 'model.exported',
            subject: formatRef(version),
            details: { digest: version.digest, ...details },
          },
          () => undefined,
        );
      // Entered before anything leaves: a stop in between leaves an entry without a file, never the other way round.
      await exported({});
      try {
        await artifacts.exportTo(version.artifactId, version.digest, path, job);
      } catch (error) {
        await exported({ failed: error instanceof SallyportError ? error.code : 'unexpected' });
        throw error;
      }
      return { path, digest: version.digest };
    },
    diff: (_actor, { a, b }) => compareVersions(compared(a), compared(b)),
    collect: (actor, input, job) => collect(deps, actor, input, job),
  };
}

/** For the log, which has no word for what is not there. */
function writtenMapping({ classes, ...rest }: OutputMapping) {
  return classes === undefined ? rest : { ...rest, classes };
}

/** A mapping names what the model has. */
function checkMapping(version: ModelVersion, mapping: OutputMapping): void {
  const outputs = version.onnx.outputs.map(({ name }) => name);
  const unknown = [mapping.labelOutput, mapping.scoreOutput].find(
    (name) => name !== null && !outputs.includes(name),
  );
  if (unknown !== undefined) {
    throw new SallyportError('input.invalid', `The model has no output named ${unknown}.`, {
      hint: `Its outputs are ${outputs.join(', ')}. Nothing was changed.`,
    });
  }
  if (!version.onnx.inputs.some(({ name }) => name === mapping.input)) {
    throw new SallyportError('input.invalid', `The model has no input named ${mapping.input}.`, {
      hint: `Its inputs are ${version.onnx.inputs.map(({ name }) => name).join(', ')}. Nothing was changed.`,
    });
  }
  if (mapping.labelOutput === null && mapping.scoreOutput === null) {
    throw new SallyportError('input.invalid', 'A mapping names a label output, a score output, or both.', {
      hint: 'Nothing was changed.',
    });
  }
}

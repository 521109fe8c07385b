/** A model run on its own test data, registered or not. */
import { basename } from 'node:path';
import { z } from 'zod';
import { SallyportError } from '../../../shared/domain/errors.ts';
import {
  type TestDataReport,
  type Tolerance,
  toleranceSchema,
} from '../../../shared/domain/evidence/test-data.ts';
import { formatRef, type VersionRef, versionRefSchema } from '../../../shared/domain/model/version.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { ArtifactStore } from '../../ports/artifacts.ts';
import type { JobContext } from '../../ports/system.ts';
import type { TestDataRunner, TestedModel } from '../../ports/test-data.ts';
import type { ModelInspector } from '../../ports/vault.ts';
import { UNWATCHED } from '../evidence/measure.ts';
import { parseInput } from '../input.ts';
import type { Ledger } from '../ledger.ts';
import { runnableVersion } from '../validation-model.ts';

export interface TestDataService {
  /**
   * Runs every set of the folder and compares its outputs. Nothing but the log is changed, whatever comes out: a failed
   * set is in the report, not an error. A file is scanned first; errors: `refused.scan`, those of the data, and
   * `not-found`, `refused.state` for a version.
   */
  run(actor: Actor, input: TestDataInput, job?: JobContext): Promise<TestDataReport>;
}

export interface TestDataInput {
  /** A registered version, or the path of a model file. */
  readonly model: VersionRef | { readonly path: string };
  readonly folder: string;
  readonly tolerance: Tolerance;
}

const path = z.string().min(1).max(4096);
const inputSchema = z.object({
  model: z.union([versionRefSchema, z.strictObject({ path })]),
  folder: path,
  tolerance: toleranceSchema,
});

export interface TestDataDeps {
  readonly ledger: Ledger;
  readonly artifacts: ArtifactStore;
  readonly inspector: ModelInspector;
  readonly runner: TestDataRunner;
}

export function createTestDataService(deps: TestDataDeps): TestDataService {
  const { ledger, artifacts, inspector, runner } = deps;

  async function modelOf(input: TestDataInput['model'], job: JobContext): Promise<TestedModel> {
    if (!('path' in input)) {
      const version = runnableVersion(ledger.read, input);
      job.progress('decrypting', 0, 0);
      return { bytes: await artifacts.readAll(version.artifactId, version.digest), digest: version.digest };
    }
    const { digest, findings } = await inspector.inspect(input.path, job);
    const critical = findings.filter(({ severity }) => severity === 'critical');
    if (critical.length > 0)
      throw new SallyportError(
        'refused.scan',
        `${basename(input.path)} is not run: ${critical
          .slice(0, 3)
          .map(({ title, where }) => `${title} (${where})`)
          .join('; ')}.`,
        { hint: 'No runtime has seen the file.', facts: { digest, findings: critical.length } },
      );
    return runner.readModel(input.path, digest);
  }

  return {
    async run(actor, rawInput, job = UNWATCHED) {
      const input = parseInput(inputSchema, rawInput);
      const name = 'path' in input.model ? basename(input.model.path) : formatRef(input.model);
      await ledger.require(actor, 'validation.run', name);
      const model = await modelOf(input.model, job);
      const { dataDigest, sets } = await runner.run(model, input.folder, input.tolerance, job);
      const report: TestDataReport = {
        model: name,
        digest: model.digest,
        dataDigest,
        tolerance: input.tolerance,
        sets: [...sets],
        passed: sets.every(({ status }) => status === 'passed'),
      };
      const count = (status: string): number => sets.filter((set) => set.status === status).length;
      return ledger.commit(
        actor,
        {
          action: 'validation.tested',
          subject: name.slice(0, 200).toWellFormed(),
          details: {
            digest: model.digest,
            data: dataDigest,
            sets: sets.length,
            passed: count('passed'),
            failed: count('failed'),
            errors: count('error'),
            notSupported: count('not-supported'),
          },
        },
        () => report,
      );
    },
  };
}

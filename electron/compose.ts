/** The object graph on one page: adapters in, services out. */
import { join } from 'node:path';
import type { AuditVerdict } from '../shared/domain/audit/entry.ts';
import type { RolloutView } from '../shared/domain/view/views.ts';
import { renderComparisonReport, renderValidationReport } from '../shared/node/report/index.ts';
import { AgeArtifacts } from './adapters/artifacts/age-artifacts.ts';
import { createDatasetInspector } from './adapters/datasets/inspector.ts';
import { createAgentConnector } from './adapters/endpoints/agent/index.ts';
import { createInferenceEngine } from './adapters/inference/engine.ts';
import { createTestDataRunner } from './adapters/inference/test-data.ts';
import { FileSecrets } from './adapters/keychain/file-secrets.ts';
import { KeychainSecrets } from './adapters/keychain/keychain-secrets.ts';
import { modelSigner } from './adapters/signing/model-signing.ts';
import { createForkWorker } from './adapters/system/fork-worker.ts';
import { launchProgram } from './adapters/system/launch-program.ts';
import { processes } from './adapters/system/process-numbers.ts';
import { type ProgramFiles, userDataFolder } from './adapters/system/program.ts';
import { createSystem } from './adapters/system/system.ts';
import { createVaultBackups } from './adapters/vault/backups.ts';
import { checkpointTools, createKeyTools } from './adapters/vault/key-tools.ts';
import { createModelInspector } from './adapters/vault/model-inspector.ts';
import { readLines, readSmallText } from './adapters/vault/read-lines.ts';
import { createRekeyWorker } from './adapters/vault/rekey-worker.ts';
import { vaultDirectories } from './adapters/vault/vault-directory.ts';
import { writeBytes, writeLines } from './adapters/vault/write-lines.ts';
import type { ForkWorker, LaunchProgram } from './ports/processes.ts';
import type { JobContext, System } from './ports/system.ts';
import type { VaultAdapters } from './ports/vault.ts';
import { createAuditService, type VerifyFileInput, verifyAuditFile } from './services/audit/index.ts';
import { createComparisonService } from './services/comparison.ts';
import { createEndpointsService } from './services/endpoints.ts';
import { createEnvironmentsService } from './services/environments/index.ts';
import { createDatasetsService, createEvidenceService } from './services/evidence/index.ts';
import { createRuns } from './services/evidence/runs.ts';
import type { Services } from './services/index.ts';
import { createOperatorsService } from './services/operators/index.ts';
import { createOverviewService } from './services/overview/index.ts';
import { createRegistryService } from './services/registry/index.ts';
import { createRequestsService } from './services/requests/index.ts';
import { createRevocationsService } from './services/revocations/index.ts';
import { createRolloutsService } from './services/rollouts/index.ts';
import { createSessionService } from './services/session/index.ts';
import { createTestDataService } from './services/test-data/index.ts';
import { createValidationService } from './services/validation.ts';
import {
  type CreateVaultInput,
  createVault,
  createVaultService,
  type KeysChoice,
  type KeysKind,
  type OpenVault,
  openVault,
  type RestoreInput,
  recoverVault,
  restoreVault,
  vaultAt,
} from './services/vault/index.ts';

/** An open vault with its services. Close it once. */
export interface Console {
  readonly vault: OpenVault;
  readonly services: Services;
  close(): Promise<void>;
}

/** What the edge wants to be told. */
export interface ConsoleEvents {
  readonly onRollout?: (view: RolloutView) => void;
  readonly onError?: (error: unknown) => void;
}

export interface ConsoleFactory {
  readonly system: System;
  readonly files: ProgramFiles;
  readonly launch: LaunchProgram;
  /** The folder of the vault: the option, `SALLYPORT_VAULT`, else the per-user data folder. */
  vaultPath(option: string | null): string;
  inspect(path: string): Promise<{ id: string; keysKind: KeysKind } | null>;
  open(path: string, passphrase: string | null, events?: ConsoleEvents): Promise<Console>;
  create(
    path: string,
    input: CreateVaultInput,
    events?: ConsoleEvents,
  ): Promise<{ console: Console; recoveryKey: string }>;
  /** Proves an exported audit log, without any vault. */
  verifyAuditFile(input: VerifyFileInput, job: JobContext): Promise<AuditVerdict>;
  recover(path: string, recoveryKey: string, keys: KeysChoice, events?: ConsoleEvents): Promise<Console>;
  /** Null: restored, and locked because its keys are not at hand. */
  restore(
    path: string,
    input: RestoreInput,
    job: JobContext,
    events?: ConsoleEvents,
  ): Promise<Console | null>;
}

export interface FactoryOptions {
  readonly files: ProgramFiles;
  /** Electron's utility processes; Node's child processes when left out. */
  readonly forkWorker?: ForkWorker;
  readonly launch?: LaunchProgram;
  /** Time between two readings of an endpoint, in milliseconds. */
  readonly pollMs?: number;
  /** log2 of scrypt's N for new key files; only tests lower it. */
  readonly workFactor?: number;
  /** The machine's own when left out; the crash harness ends the process in `reached`. */
  readonly system?: System;
  /** The operating system's keychain when left out. */
  readonly keychainSecrets?: VaultAdapters['keychainSecrets'];
}

export function createConsoleFactory(options: FactoryOptions): ConsoleFactory {
  const { files } = options;
  const system = options.system ?? createSystem();
  const forkWorker = options.forkWorker ?? createForkWorker((entry) => files.worker(entry));
  const keys = createKeyTools(options.workFactor === undefined ? {} : { workFactor: options.workFactor });
  const adapters: VaultAdapters = {
    system,
    keys,
    checkpoints: checkpointTools,
    directories: vaultDirectories,
    backups: createVaultBackups(forkWorker),
    keychainSecrets: options.keychainSecrets ?? ((vaultId) => new KeychainSecrets({ vaultId, forkWorker })),
    fileSecrets: (path, recipient, identity) =>
      new FileSecrets({ path: join(path, 'secrets.age'), recipient, identity }),
    artifacts: (path, recipients, identity) =>
      new AgeArtifacts({
        directory: join(path, 'artifacts'),
        recipients,
        identity,
        forkWorker,
        reached: (point) => system.reached(point),
      }),
    rekeyWorker: (path) => createRekeyWorker({ forkWorker, path }),
  };

  function compose(vault: OpenVault, events: ConsoleEvents): Console {
    const { ledger, secrets, artifacts, store } = vault;
    const engine = createInferenceEngine({ forkWorker });
    const measuring = {
      ledger,
      artifacts,
      engine,
      inspector: createDatasetInspector(forkWorker),
      system,
      runs: createRuns({ store, artifacts, system, processes }),
    };
    const validation = createValidationService(measuring);
    const comparison = createComparisonService(measuring);
    const session = createSessionService({ ledger, store, secrets, keys, system });
    const requests = createRequestsService({
      vaultId: vault.id,
      ledger,
      artifacts,
      signer: modelSigner,
      system,
      withOperatorKey: session.signWithOperatorKey,
    });
    const audit = createAuditService({
      vaultId: vault.id,
      ledger,
      store,
      system,
      checkpoints: checkpointTools,
      checkpointVerifier: vault.checkpointVerifier,
      writeLines,
      signatureChecks: () => requests.signatureChecks(),
      fetchCheckpoints: () => endpoints.fetchCheckpoints(),
    });
    const endpoints = createEndpointsService({
      vaultId: vault.id,
      ledger,
      store,
      secrets,
      system,
      connector: createAgentConnector(),
      audit,
    });
    const rollouts = createRolloutsService({
      store,
      ledger,
      system,
      requests,
      clientFor: (id) => endpoints.clientFor(id),
      tryAcquireEffects: () => vault.acquireEffectsLock(),
      pollMs: options.pollMs ?? 1000,
      onUpdate: (view) => events.onRollout?.(view),
      onError: (error) => events.onError?.(error),
      onMoved: async (id) => {
        await endpoints.observe(id);
      },
      onFinished: () => endpoints.syncCheckpoints(),
    });
    const modelInspector = createModelInspector({ directory: join(vault.path, 'artifacts'), forkWorker });
    const models = createRegistryService({
      ledger,
      artifacts,
      system,
      inspector: modelInspector,
      proveDatabase: vault.proveDatabase,
    });
    const services: Services = {
      session,
      overview: createOverviewService({
        read: store.read,
        system,
        rollouts: (actor) => rollouts.list(actor),
      }),
      models,
      validation,
      comparison,
      evidence: createEvidenceService({
        ...measuring,
        validation,
        comparison,
        renderReport: { validation: renderValidationReport, comparison: renderComparisonReport },
        writeFile: writeBytes,
      }),
      datasets: createDatasetsService({ ledger }),
      testData: createTestDataService({
        ledger,
        artifacts,
        inspector: modelInspector,
        runner: createTestDataRunner({ forkWorker }),
      }),
      operators: createOperatorsService({
        ledger,
        secrets,
        keys,
        system,
        withOperatorKey: session.signWithOperatorKey,
      }),
      vault: createVaultService({ vault, adapters, writeLines }),
      environments: createEnvironmentsService({ ledger, system }),
      requests,
      endpoints,
      rollouts,
      revocations: createRevocationsService({
        vaultId: vault.id,
        ledger,
        signer: modelSigner,
        system,
        models,
        withOperatorKey: session.signWithOperatorKey,
        clientFor: (id) => endpoints.clientFor(id),
        onMoved: (id) => endpoints.observe(id),
      }),
      audit,
    };
    return {
      vault,
      services,
      close: async () => {
        // Effects stop first, then what they use.
        await rollouts.close();
        await endpoints.close();
        await engine.close();
        await vault.close();
      },
    };
  }

  return {
    system,
    files,
    launch: options.launch ?? launchProgram,
    vaultPath: (option) => {
      const path = option ?? process.env.SALLYPORT_VAULT;
      return path === undefined || path === '' ? join(userDataFolder('sallyport'), 'vault') : path;
    },
    inspect: (path) => vaultAt(adapters, path),
    verifyAuditFile: (input, job) =>
      verifyAuditFile(
        { system, checkpoints: checkpointTools, readLines, readText: readSmallText },
        input,
        job,
      ),
    open: async (path, passphrase, events = {}) =>
      compose(await openVault(adapters, path, { passphrase }), events),
    create: async (path, input, events = {}) => {
      const { vault, recoveryKey } = await createVault(adapters, path, input);
      return { console: compose(vault, events), recoveryKey };
    },
    recover: async (path, recoveryKey, keysChoice, events = {}) =>
      compose(await recoverVault(adapters, path, { recoveryKey, keys: keysChoice }), events),
    restore: async (path, input, job, events = {}) => {
      const vault = await restoreVault(adapters, path, input, job);
      return vault && compose(vault, events);
    },
  };
}

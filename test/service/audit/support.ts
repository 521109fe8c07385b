import { writeLines } from '../../../electron/adapters/vault/write-lines.ts';
import {
  type AuditDeps,
  type AuditService,
  createAuditService,
} from '../../../electron/services/audit/index.ts';
import type { TestVault } from '../../support/vault.ts';

/** The audit service of a vault as the program composes it, without endpoints. */
export function auditOf(home: TestVault, overrides: Partial<AuditDeps> = {}): AuditService {
  const { vault, adapters } = home;
  return createAuditService({
    vaultId: vault.id,
    ledger: vault.ledger,
    store: vault.store,
    system: adapters.system,
    checkpoints: adapters.checkpoints,
    checkpointVerifier: vault.checkpointVerifier,
    writeLines,
    signatureChecks: () => [],
    fetchCheckpoints: async () => [],
    ...overrides,
  });
}

/** `count` more entries. */
export async function write(home: TestVault, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    await home.vault.ledger.commit(
      home.admin,
      { action: 'model.described', subject: `m@1.0.${index}`, details: { index } },
      () => undefined,
    );
  }
}

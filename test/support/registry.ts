/** A registry service over a real vault, with models to add. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { System } from '../../electron/ports/system.ts';
import type { AddVersionInput } from '../../electron/services/registry/add-version.ts';
import { createRegistryService, type RegistryService } from '../../electron/services/registry/index.ts';
import { VAULT_SETTINGS } from '../../electron/services/vault/settings.ts';
import type { Actor } from '../../shared/domain/operator/operator.ts';
import { DEFAULT_VAULT_SETTINGS, type VaultSettings } from '../../shared/domain/vault/settings.ts';
import { logisticRegression, model } from './onnx-builder.ts';
import { temporaryDirectory } from './temp.ts';
import { type TestVault, testVault } from './vault.ts';

export interface RegistryHome extends TestVault {
  readonly registry: RegistryService;
  readonly folder: string;
  /** Path of a model; each size has other bytes. */
  file(features: number): string;
  add(version: string, input?: Partial<AddVersionInput>, actor?: Actor): ReturnType<RegistryService['add']>;
  set(settings: Partial<VaultSettings>): Promise<void>;
}

export async function registryHome(system: Partial<System> = {}): Promise<RegistryHome> {
  const vault = await testVault();
  const { ledger, artifacts } = vault.vault;
  const registry = createRegistryService({
    ledger,
    artifacts,
    inspector: vault.inspector,
    system: { ...vault.adapters.system, ...system },
  });
  const folder = temporaryDirectory();
  const file = (features: number): string => {
    const path = join(folder, `model-${features}.onnx`);
    writeFileSync(path, model(logisticRegression(features)));
    return path;
  };
  let next = 2;
  return {
    ...vault,
    registry,
    folder,
    file,
    add: (version, input = {}, actor = vault.admin) =>
      registry.add(actor, {
        path: input.path ?? file(++next),
        name: 'phish',
        version,
        parent: null,
        metadata: {},
        ...input,
      }),
    set: (settings) =>
      ledger.commit(null, { action: 'vault.settings-changed', subject: 'vault', details: {} }, (tx) =>
        tx.setSetting(VAULT_SETTINGS, JSON.stringify({ ...DEFAULT_VAULT_SETTINGS, ...settings })),
      ),
  };
}

export const phish = (version: string) => ({ name: 'phish', version });

export function lastEntry({ vault }: TestVault) {
  return vault.store.read.audit.page({ before: null, limit: 1, text: '' }).entries[0];
}

/** The vault's own answers of the window's stand-in: facts, settings, rekey, backup, differences, collection. */
import type { AuditVerdict } from '../../shared/domain/audit/entry.ts';
import { type ErrorCode, SallyportError } from '../../shared/domain/errors.ts';
import type { VersionDifference } from '../../shared/domain/model/difference.ts';
import type { Collection } from '../../shared/domain/model/retention.ts';
import { formatRef, type ModelVersion } from '../../shared/domain/model/version.ts';
import { DEFAULT_VAULT_SETTINGS } from '../../shared/domain/vault/settings.ts';
import type { VaultView } from '../../shared/domain/view/views.ts';
import { type Clock, hex, minutesAgo } from './renderer-data.ts';

export function vaultView(clock: Clock, versions: readonly ModelVersion[]): VaultView {
  return {
    id: hex('vault').slice(0, 32),
    path: '/home/ada/.local/share/sallyport',
    keys: 'keychain',
    recipient: `age1${hex('recipient').slice(0, 58)}`,
    recoveryRecipient: `age1${hex('recovery').slice(0, 58)}`,
    createdAt: minutesAgo(clock, 86_400),
    versions: versions.length,
    artifactBytes: versions.reduce((sum, version) => sum + version.sizeBytes, 0),
    auditEntries: 1_284,
    lastBackup: { at: minutesAgo(clock, 26 * 60), head: 1_262 },
    lastRekey: null,
    settings: { ...DEFAULT_VAULT_SETTINGS, keepLast: 5 },
  };
}

const text = (value: unknown): string =>
  value === undefined || value === null ? '' : Array.isArray(value) ? value.join(', ') : String(value);

/** The same fields the program compares, in its order. */
export function differences(a: ModelVersion, b: ModelVersion): VersionDifference[] {
  const row = (group: string, field: string, left: unknown, right: unknown): VersionDifference => ({
    group,
    field,
    a: text(left),
    b: text(right),
    differs: text(left) !== text(right),
  });
  const operators = new Map(a.onnx.operators.map((item) => [item.type, item.count]));
  return [
    row('identity', 'digest', a.digest, b.digest),
    row('identity', 'size', a.sizeBytes, b.sizeBytes),
    row('identity', 'state', a.state, b.state),
    row('identity', 'owner', a.metadata.owner, b.metadata.owner),
    row('identity', 'licence', a.metadata.licence, b.metadata.licence),
    row('identity', 'tags', a.metadata.tags, b.metadata.tags),
    row('lineage', 'parent', a.parent, b.parent),
    row('lineage', 'dataset digest', a.metadata.datasetDigest, b.metadata.datasetDigest),
    row('lineage', 'code reference', a.metadata.codeReference, b.metadata.codeReference),
    row('training', 'epochs', a.metadata.trainingParameters?.epochs, b.metadata.trainingParameters?.epochs),
    row('training', 'hidden', a.metadata.trainingParameters?.hidden, b.metadata.trainingParameters?.hidden),
    row('metrics', 'roc_auc', '0.9731', '0.9824'),
    row('metrics', 'recall', '0.9142', '0.9317'),
    row('interface', 'input features', 'float [N, 34]', 'float [N, 34]'),
    row('interface', 'output label', 'int64 [N]', 'int64 [N]'),
    row('operators', 'opset ai.onnx', a.onnx.opsets[0]?.version, b.onnx.opsets[0]?.version),
    row('operators', 'parameters', a.onnx.parameterCount, b.onnx.parameterCount),
    ...b.onnx.operators.map((item) => row('operators', item.type, operators.get(item.type) ?? 0, item.count)),
    row('findings', 'worst', a.findings[0]?.severity ?? 'none', b.findings[0]?.severity ?? 'none'),
    row('evidence', 'validations', 1, 1),
  ];
}

export function collection(versions: readonly ModelVersion[], dryRun: boolean): Collection {
  const gone = versions.filter((version) => version.state === 'archived' || version.state === 'revoked');
  const removed = gone.map((version) => ({
    ref: formatRef(version),
    sizeBytes: version.sizeBytes,
    reason: `It is ${version.state}, and nothing needs its file.`,
  }));
  const orphans = [{ artifactId: hex('orphan').slice(0, 32), sizeBytes: 61_440 }];
  return {
    dryRun,
    archived: [{ ref: 'phish-url@0.9.0', reason: 'Five newer versions are kept.' }],
    removed,
    orphans,
    freedBytes: [...removed, ...orphans].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    kept: [{ ref: 'phish-url@1.0.0', reason: 'It can be rolled back to on mail-gateway-1.' }],
  };
}

/** What verifying an export file answers: no keychain and no agent speaks for it. */
export function fileVerdict(entries: number): AuditVerdict {
  return {
    ok: true,
    entries,
    head: { seq: entries, hash: hex(`entry-${entries}`) },
    problems: [],
    signaturesChecked: 3,
    checkpointsChecked: 1,
    witnesses: [{ name: 'keychain', status: 'absent', detail: 'an export has no local witness', proves: '' }],
    restores: [
      {
        seq: 902,
        at: '2026-04-11T08:12:00.000Z',
        restoredTo: 901,
        lost: 14,
        backupAt: '2026-04-10T22:00:00.000Z',
      },
    ],
    unproven: ['Nothing kept outside the file was compared: a cut-off end does not show.'],
  };
}

/** Refusals of a vault that cannot be opened, in the program's own words. */
const OPENING: Readonly<Partial<Record<ErrorCode, readonly [string, string]>>> = {
  'keychain.missing': [
    'The keychain holds no keys for this vault.',
    'Nothing was changed. Use the recovery key to put them back.',
  ],
  'keychain.locked': [
    'The keychain is locked.',
    'Nothing was changed. Unlock it in your session, then try again.',
  ],
  'keychain.cancelled': ['The keychain was not unlocked.', 'Nothing was changed. Try again and answer it.'],
  'keychain.changed': [
    'The keychain holds keys of another vault.',
    'Nothing was changed. Use the recovery key of this vault.',
  ],
  'vault.newer': [
    'This vault was written by a newer Sallyport (schema 9; this program knows 2).',
    'Nothing was changed. Start the newer program.',
  ],
  'integrity.vault': [
    'vault.json names another recipient than the database.',
    'Nothing was changed. Restore the vault from a backup into an empty folder.',
  ],
  'disk.read-only': ['The folder of the vault is read-only.', 'Nothing was changed. Make it writable.'],
};

export function openingProblem(code: ErrorCode): SallyportError {
  const [message, hint] = OPENING[code] ?? ['The vault cannot be opened.', 'Nothing was changed.'];
  return new SallyportError(code, message, { hint });
}

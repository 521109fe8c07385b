/** Signing in, the vault itself, jobs and file dialogs. */
import { z } from 'zod';
import { vaultSettingsSchema } from '../../domain/vault/settings.ts';
import { sessionViewSchema, vaultViewSchema } from '../../domain/view/views.ts';
import { done, jobId, keysChoice, nothing, passphrase, path } from './common.ts';

export const sessionChannels = {
  'session.status': { input: nothing, output: sessionViewSchema },
  'session.signIn': { input: z.object({ operator: z.string(), passphrase }), output: sessionViewSchema },
  'session.signOut': { input: nothing, output: sessionViewSchema },
  /** Somebody is at the window: the time until the operator is signed out begins anew. */
  'session.active': { input: nothing, output: done },
  'vault.create': {
    input: z.object({
      operator: z.string(),
      person: z.string(),
      operatorPassphrase: passphrase,
      keys: keysChoice,
    }),
    output: z.object({ vaultId: z.string(), recoveryKey: z.string() }),
  },
  'vault.unlock': { input: z.object({ passphrase: passphrase.nullable() }), output: sessionViewSchema },
  'vault.recover': {
    input: z.object({
      recoveryKey: z.string(),
      keys: keysChoice,
    }),
    output: sessionViewSchema,
  },
  'vault.lock': { input: nothing, output: sessionViewSchema },
  'jobs.cancel': { input: z.object({ jobId }), output: done },
  'dialogs.open': {
    input: z.object({ kind: z.enum(['model', 'dataset', 'policy', 'directory', 'backup', 'audit']) }),
    output: z.object({ path: path.nullable() }),
  },
  'dialogs.save': {
    input: z.object({ suggestedName: z.string().max(200) }),
    output: z.object({ path: path.nullable() }),
  },

  /** Facts about the open vault, for Settings. */
  'vault.about': { input: nothing, output: vaultViewSchema },
  'vault.setSettings': { input: z.object({ settings: vaultSettingsSchema }), output: vaultViewSchema },
  /** Fresh database key and key pair; `full` encrypts every artifact again. A passphrase vault needs its passphrase. */
  'vault.rekey': {
    input: z.object({
      full: z.boolean(),
      /** Makes a new recovery key as well, which is answered once. */
      newRecoveryKey: z.boolean(),
      /** Of a passphrase vault: the one to go on with (the old one, or a new one). */
      passphrase: passphrase.nullable(),
      jobId,
    }),
    output: z.object({
      artifacts: z.number().int(),
      bytes: z.number(),
      full: z.boolean(),
      /** Stored files that were damaged before and were left as they are. */
      damaged: z.number().int().optional(),
      recoveryKey: z.string().nullable(),
    }),
  },
  'vault.backup': {
    input: z.object({ path, jobId }),
    output: z.object({
      path,
      bytes: z.number(),
      artifacts: z.number().int(),
      auditHead: z.number().int(),
    }),
  },
  /** Into the empty place of the vault; the vault is locked or opened by its keychain afterwards. */
  'vault.restore': { input: z.object({ path, jobId }), output: sessionViewSchema },
  /** Writes the printable recovery kit; `recoveryKey` must be this vault's. */
  'vault.saveRecoveryKit': {
    input: z.object({ path, recoveryKey: z.string().min(1).max(500) }),
    output: z.object({ path }),
  },
} as const;

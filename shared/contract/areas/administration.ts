/** Operators, environments and the audit log. */
import { z } from 'zod';
import { auditEntrySchema, auditVerdictSchema } from '../../domain/audit/entry.ts';
import { operatorSchema, roleSchema } from '../../domain/operator/operator.ts';
import { environmentSchema, policySchema } from '../../domain/policy/policy.ts';
import { id, jobId, nothing, passphrase, path } from './common.ts';

export const administrationChannels = {
  'operators.list': { input: nothing, output: z.array(operatorSchema) },
  'operators.add': {
    input: z.object({
      name: operatorSchema.shape.name,
      person: operatorSchema.shape.person,
      roles: z.array(roleSchema).min(1),
      passphrase,
    }),
    output: operatorSchema,
  },
  'operators.setRoles': {
    input: z.object({ id, roles: z.array(roleSchema).min(1) }),
    output: operatorSchema,
  },
  /** A disabled operator signs in no more and approves nothing; the record and its key stay for verification. */
  'operators.setDisabled': { input: z.object({ id, disabled: z.boolean() }), output: operatorSchema },
  /** One's own passphrase: the key stays the same. */
  'operators.changePassphrase': {
    input: z.object({ passphrase, newPassphrase: passphrase }),
    output: operatorSchema,
  },
  'environments.list': { input: nothing, output: z.array(environmentSchema) },
  'environments.add': {
    input: z.object({ name: environmentSchema.shape.name, policy: policySchema }),
    output: environmentSchema,
  },
  'environments.setPolicy': { input: z.object({ id, policy: policySchema }), output: environmentSchema },
  'audit.list': {
    input: z.object({
      before: z.number().int().nullable(),
      limit: z.number().int().min(1).max(500),
      text: z.string().max(200),
    }),
    output: z.object({ entries: z.array(auditEntrySchema), total: z.number().int() }),
  },
  'audit.verify': { input: nothing, output: auditVerdictSchema },
  'audit.export': {
    /** `from`: the first entry that is written; the whole log when left out. */
    input: z.object({ path, from: z.number().int().min(1).optional() }),
    output: z.object({ path, entries: z.number().int(), head: z.string() }),
  },
  /** Proves an exported log without any vault. */
  'audit.verifyFile': {
    input: z.object({
      path,
      jobId,
      /** The vault's public checkpoint key, as it was noted elsewhere; the one in the file when left out. */
      key: z.string().max(1000).nullish(),
      /** File with one signed checkpoint, or several one after another, that were kept elsewhere. */
      checkpointPath: path.nullish(),
      /** File with a head that was kept elsewhere: JSON with `seq` and `hash`. */
      headPath: path.nullish(),
    }),
    output: auditVerdictSchema,
  },
} as const;

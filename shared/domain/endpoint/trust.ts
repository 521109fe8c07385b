import { z } from 'zod';
import { personKey } from '../approval/quorum.ts';

/**
 * The agent's trust file, YAML or JSON: whose signatures count, how many, and from which vaults. It is read from the
 * agent's own directory alone; nothing that is pushed can change it.
 */
const vaultSchema = z.strictObject({
  id: z.string().min(1).max(200),
  /** The vault's C2SP verifier key (`name+hash+base64`): then checkpoints must be signed by it. */
  checkpointKey: z.string().max(500).optional(),
});

const signerSchema = z.strictObject({
  /** The human being: quorum counts people. */
  person: z.string().trim().min(1).max(200),
  name: z.string().min(1).max(60),
  /** P-256 SubjectPublicKeyInfo, PEM. */
  publicKeyPem: z.string().min(1).max(2000),
});

export const trustFileSchema = z
  .strictObject({
    vaults: z
      .array(
        z.union([
          z
            .string()
            .min(1)
            .max(200)
            .transform((id) => ({ id })),
          vaultSchema,
        ]),
      )
      .min(1)
      .max(100),
    quorum: z.number().int().min(1).max(20),
    approvers: z.array(signerSchema).min(1).max(1000),
    /** Where given, a request must be signed by one of these as its submitter. */
    submitters: z.array(signerSchema).max(1000).optional(),
    /** Whose signature alone takes a version out for good; the approvers where left out. */
    revokers: z.array(signerSchema).min(1).max(1000).optional(),
  })
  .superRefine((trust, context) => {
    const people = new Set(trust.approvers.map((approver) => personKey(approver.person)));
    if (people.size < trust.quorum) {
      context.addIssue({
        code: 'custom',
        message: `A quorum of ${trust.quorum} needs as many people among the approvers; there are ${people.size}.`,
        path: ['quorum'],
      });
    }
    const owners = new Map<string, string>();
    for (const [index, approver] of trust.approvers.entries()) {
      const key = approver.publicKeyPem.replace(/\s+/g, '');
      const owner = owners.get(key);
      if (owner !== undefined && owner !== personKey(approver.person)) {
        context.addIssue({
          code: 'custom',
          message: `One key cannot belong to two people (${approver.name}).`,
          path: ['approvers', index, 'publicKeyPem'],
        });
      }
      owners.set(key, personKey(approver.person));
    }
  });
export type TrustFile = z.infer<typeof trustFileSchema>;

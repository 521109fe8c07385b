import { z } from 'zod';
import { utf8 } from '../../../shared/domain/audit/bytes.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import { type Operator, operatorSchema, roleSchema } from '../../../shared/domain/operator/operator.ts';
import type { System } from '../../ports/system.ts';
import type { KeyTools } from '../../ports/vault.ts';
import { parseInput } from '../input.ts';

/** Shortest operator passphrase, in characters. scrypt makes each guess cost 0.4 s; length makes them many. */
export const MIN_PASSPHRASE = 10;

export const newOperatorSchema = z.object({
  name: operatorSchema.shape.name,
  person: operatorSchema.shape.person,
  roles: z.array(roleSchema).min(1),
  passphrase: z.string().max(1024),
});
export type NewOperator = z.infer<typeof newOperatorSchema>;

/** Name of an operator's key file among the secrets. */
export function operatorKeySecret(operatorId: string): string {
  return `operator-key/${operatorId}`;
}

/** A new operator and the key file: the private key in an age file under the operator's own passphrase, in Base64. */
export async function makeOperator(
  deps: { readonly system: System; readonly keys: KeyTools },
  input: NewOperator,
): Promise<{ operator: Operator; keyFile: string }> {
  const { name, person, roles, passphrase } = parseInput(newOperatorSchema, input);
  checkPassphrase(passphrase, 'Nothing was created.');
  const key = deps.keys.generateSigningKey();
  const operator: Operator = {
    id: deps.system.newId(),
    name,
    person,
    roles: [...new Set(roles)],
    publicKeyPem: key.publicKeyPem,
    keyFingerprint: key.fingerprint,
    createdAt: deps.system.now().toISOString(),
  };
  return { operator, keyFile: await sealKey(deps.keys, passphrase, key.privateKeyPem) };
}

/** Throws `input.invalid` for a passphrase that is too short; `kept` says what is left as it was. */
export function checkPassphrase(passphrase: string, kept: string): void {
  if ([...passphrase].length >= MIN_PASSPHRASE) return;
  throw new SallyportError(
    'input.invalid',
    `An operator's passphrase has at least ${MIN_PASSPHRASE} characters.`,
    {
      hint: `It protects the key that signs approvals. ${kept}`,
      facts: { minimum: MIN_PASSPHRASE },
    },
  );
}

/** The key file of an operator, as it is kept among the secrets. */
export async function sealKey(keys: KeyTools, passphrase: string, privateKeyPem: string): Promise<string> {
  return Buffer.from(await keys.encryptWithPassphrase(passphrase, utf8(privateKeyPem))).toString('base64');
}

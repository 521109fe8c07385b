/** What opens an endpoint, where it is kept. */
import { decodeCredentials, type EndpointCredentials } from '../../shared/domain/endpoint/credentials.ts';
import { SallyportError } from '../../shared/domain/errors.ts';
import type { SecretStore } from '../ports/secrets.ts';

/** Name of the secret that holds an endpoint's token and, where there is one, the console's own certificate. */
export function tokenName(endpointId: string): string {
  return `endpoint-token/${endpointId}`;
}

/** `endpoint.unauthorized` when the secret is gone. */
export async function storedCredentials(
  secrets: SecretStore,
  endpointId: string,
): Promise<EndpointCredentials> {
  const stored = await secrets.get(tokenName(endpointId));
  if (stored !== null) return decodeCredentials(stored);
  throw new SallyportError(
    'endpoint.unauthorized',
    'The token of this endpoint is not among the secrets of this vault.',
    {
      hint: 'Remove the endpoint and add it again with a token.',
    },
  );
}

import type { Endpoint } from '../../../shared/domain/endpoint/endpoint.ts';
import { SallyportError } from '../../../shared/domain/errors.ts';
import type { StoreReader } from '../../ports/stores.ts';

export interface Target {
  readonly environmentId: string;
  readonly endpoints: readonly Endpoint[];
}

/** A target is an environment (all its endpoints) or one endpoint, by name. `not-found` for anything else. */
export function resolveTarget(read: StoreReader, target: string): Target {
  const environment = read.environmentByName(target) ?? read.environment(target);
  const single = read.endpointByName(target);
  if (environment !== null) {
    const endpoints = read.endpoints().filter((e) => e.environmentId === environment.id);
    if (endpoints.length > 0) return { environmentId: environment.id, endpoints };
    if (single === null)
      throw new SallyportError('not-found', `${target} has no endpoint.`, {
        hint: 'Add one with: sallyport endpoint add',
      });
  }
  if (single === null)
    throw new SallyportError('not-found', `There is no environment or endpoint called ${target}.`, {
      hint: 'List them with: sallyport endpoint list',
    });
  return { environmentId: single.environmentId, endpoints: [single] };
}

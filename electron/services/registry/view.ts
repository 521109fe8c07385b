import { allowedVersionActions, type VersionContext } from '../../../shared/domain/model/actions.ts';
import type { ModelVersion } from '../../../shared/domain/model/version.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { VersionView } from '../../../shared/domain/view/views.ts';
import type { StoreReader } from '../../ports/stores.ts';

/** Aliases of a version, and the endpoints that serve it as last seen. */
export function versionContext(read: StoreReader, version: ModelVersion): VersionContext {
  const aliases = read
    .aliases(version.name)
    .filter((alias) => alias.version === version.version)
    .map(({ alias }) => alias);
  const deployedOn: VersionView['deployedOn'] = [];
  for (const endpoint of read.endpoints()) {
    const served = read.lastStatus(endpoint.id)?.models.find((model) => model.name === version.name);
    if (!served) continue;
    // Compared by digest: a version of that number from somewhere else is not this one.
    const percent = served.canary?.percent ?? 0;
    if (served.stable?.digest === version.digest)
      deployedOn.push({ endpoint: endpoint.name, role: 'stable', percent: 100 - percent });
    if (served.canary?.digest === version.digest)
      deployedOn.push({ endpoint: endpoint.name, role: 'canary', percent });
    if (served.previous?.digest === version.digest)
      deployedOn.push({ endpoint: endpoint.name, role: 'previous', percent: 0 });
  }
  return { aliases, deployedOn };
}

/** Longest chain that is followed; a version's parent was there before it, so a longer one is no circle either. */
const MOST_ANCESTORS = 100;

function ancestorsOf(read: StoreReader, version: ModelVersion): string[] {
  const found: string[] = [];
  let parent = version.parent;
  while (parent !== null && found.length < MOST_ANCESTORS) {
    found.push(parent);
    parent = read.parentOf({ name: version.name, version: parent });
  }
  return found;
}

export function versionView(read: StoreReader, version: ModelVersion, actor: Actor): VersionView {
  const context = versionContext(read, version);
  return {
    version,
    aliases: [...context.aliases],
    deployedOn: [...context.deployedOn],
    allowedActions: allowedVersionActions(version, context, actor),
    ancestors: ancestorsOf(read, version),
    children: read.children(version),
  };
}

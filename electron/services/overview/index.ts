/** The first screen: how much there is, what is serving, and what wants a person. */
import { effectiveState, refusalOf } from '../../../shared/domain/approval/lifecycle.ts';
import type { Actor } from '../../../shared/domain/operator/operator.ts';
import type { Overview, RolloutView } from '../../../shared/domain/view/views.ts';
import type { StoreReader } from '../../ports/stores.ts';
import type { System } from '../../ports/system.ts';

export interface OverviewDeps {
  readonly read: StoreReader;
  readonly system: System;
  /** Rollouts as the rollouts service shows them, newest first. */
  readonly rollouts: (actor: Actor) => RolloutView[] | Promise<RolloutView[]>;
}

export interface OverviewService {
  get(actor: Actor): Promise<Overview>;
}

const RECENT = 15;
const SHOWN_ROLLOUTS = 5;

export function createOverviewService(deps: OverviewDeps): OverviewService {
  const { read, system } = deps;

  function attention(actor: Actor, now: Date): Overview['attention'] {
    const items: Overview['attention'] = [];
    for (const record of read.requests()) {
      const { id, environmentName, request } = record;
      const title = `${request.name}@${request.version} for ${environmentName}`;
      const approvals = read.approvals(id);
      const open = effectiveState(record, now);
      const link = `/releases/${id}`;
      if (open === 'open' && refusalOf('approve', record, approvals, actor, now) === null) {
        items.push({
          kind: 'approval',
          title: `Approve ${title}`,
          detail: `submitted by ${request.submitter.person}`,
          link,
        });
      } else if (open === 'approved' && !read.rollouts().some(({ requestId }) => requestId === id)) {
        items.push({
          kind: 'deploy',
          title: `Deploy ${title}`,
          detail: 'approved, not rolled out yet',
          link,
        });
      }
    }
    for (const rollout of read.unfinished()) {
      if (rollout.phase !== 'paused') continue;
      items.push({
        kind: 'rollout',
        title: `${rollout.name}@${rollout.version} is paused`,
        detail: rollout.reason,
        link: `/rollouts/${rollout.id}`,
      });
    }
    for (const endpoint of read.endpoints()) {
      const status = read.lastStatus(endpoint.id);
      if (!status || status.reachable) continue;
      items.push({
        kind: 'endpoint',
        title: `${endpoint.name} does not answer`,
        detail: status.problem?.message ?? '',
        link: '/endpoints',
      });
    }
    return items;
  }

  return {
    get: async (actor) => {
      const now = system.now();
      const { models, versions } = read.counts();
      return {
        models,
        versions,
        openRequests: read.requests().filter((record) => effectiveState(record, now) === 'open').length,
        runningRollouts: read.unfinished().length,
        endpoints: read.endpoints().length,
        champions: read
          .aliased('champion')
          .map(({ name, version, rocAuc, f1 }) => ({ name, version, rocAuc, f1 })),
        recent: read.audit.page({ before: null, limit: RECENT, text: '' }).entries,
        rollouts: (await deps.rollouts(actor)).slice(0, SHOWN_ROLLOUTS),
        attention: attention(actor, now),
      };
    },
  };
}

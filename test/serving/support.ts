/** What the serving tests share: an agent with a client, and calls of its predict listener. */
import { onTestFinished } from 'vitest';
import { createAgentConnector } from '../../electron/adapters/endpoints/agent/index.ts';
import type { EndpointClient, ReleasePackage } from '../../electron/ports/endpoint.ts';
import type { Endpoint } from '../../shared/domain/endpoint/endpoint.ts';
import { startAgent, type TestAgent } from '../support/agent.ts';
import { makeSite, type Site } from '../support/release.ts';

export interface Stage {
  readonly site: Site;
  readonly agent: TestAgent;
  readonly client: EndpointClient;
  readonly endpoint: Endpoint;
  predict(
    features: unknown,
    options?: { version?: string; model?: string; headers?: Record<string, string> },
  ): Promise<Answer>;
  /** All traffic to this release, from the generation the agent is at. */
  serve(release: ReleasePackage): Promise<void>;
  /** `stable` as `serve` does, then a share of its traffic, in percent, to `canary`. */
  serveCanary(
    stable: ReleasePackage,
    canary: ReleasePackage,
    share: { readonly percent: number; readonly mirrorSample?: number; readonly salt?: string },
  ): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly body: { detail?: string; predictions?: number[]; model_version?: string; latency_ms?: number };
  readonly headers: Headers;
}

export async function stage(options: { limits?: Record<string, number>; site?: Site } = {}): Promise<Stage> {
  const site = options.site ?? makeSite();
  const agent = await startAgent({ ...site, ...(options.limits ? { limits: options.limits } : {}) });
  onTestFinished(() => agent.remove());
  return onAgent(site, agent);
}

export async function onAgent(site: Site, agent: TestAgent): Promise<Stage> {
  const connector = createAgentConnector();
  const { signingKeyPem, ageRecipient } = await connector.probe(agent.adminUrl, agent.token);
  const endpoint: Endpoint = {
    id: 'e1',
    name: 'edge',
    kind: 'agent',
    environmentId: site.environmentId,
    signingKeyPem,
    ageRecipient,
    adminUrl: agent.adminUrl,
    predictUrl: agent.predictUrl,
    fingerprint: agent.fingerprint,
    addedAt: new Date().toISOString(),
  };
  const client = connector.connect(endpoint, async () => agent.token);
  const serve = async (release: ReleasePackage): Promise<void> => {
    await client.push(release, () => {});
    const served = (await client.models()).find((each) => each.name === release.name);
    const expectedGeneration = served?.generation ?? 0;
    await client.route(release.name, {
      key: `${release.root}/${expectedGeneration}`,
      expectedGeneration,
      stableRoot: release.root,
      canary: null,
    });
  };
  return {
    site,
    agent,
    client,
    endpoint,
    predict: async (features, { version, model = 'phish', headers = {} } = {}) => {
      const response = await fetch(`${agent.predictUrl}/predict`, {
        method: 'POST',
        headers: { authorization: `Bearer ${agent.token}`, 'content-type': 'application/json', ...headers },
        body: JSON.stringify({ model_name: model, features, ...(version === undefined ? {} : { version }) }),
      });
      return {
        status: response.status,
        body: (await response.json()) as Answer['body'],
        headers: response.headers,
      };
    },
    serve,
    serveCanary: async (stable, canary, { percent, mirrorSample = 1, salt = 'a-plan-salt' }) => {
      await serve(stable);
      await client.push(canary, () => {});
      await client.route(stable.name, {
        key: `${canary.root}/${percent}`,
        expectedGeneration: 1,
        stableRoot: stable.root,
        canary: { root: canary.root, percent, mirrorSample, salt },
      });
    },
  };
}

/** The built agent with one signed release served, for benches that ask it. */
import { createAgentConnector } from '../../electron/adapters/endpoints/agent/index.ts';
import type { OutputMapping } from '../../shared/domain/model/version.ts';
import { startAgent, type TestAgent } from '../../test/support/agent.ts';
import { makeRelease, makeSite } from '../../test/support/release.ts';
import { built } from './program.ts';

/** As it is set up by default. `name` = the model callers ask for. The caller removes the agent. */
export async function servedAgent(release: {
  readonly name: string;
  readonly model: Uint8Array;
  readonly mapping: OutputMapping;
}): Promise<TestAgent> {
  const site = makeSite();
  const agent = await startAgent({ ...site, entry: built('serving.js') });
  const connector = createAgentConnector();
  const identity = await connector.probe(agent.adminUrl, agent.token);
  const client = connector.connect(
    {
      id: 'bench',
      name: 'bench',
      environmentId: site.environmentId,
      kind: 'agent',
      adminUrl: agent.adminUrl,
      predictUrl: agent.predictUrl,
      fingerprint: agent.fingerprint,
      signingKeyPem: identity.signingKeyPem,
      ageRecipient: identity.ageRecipient,
      addedAt: new Date().toISOString(),
    },
    async () => agent.token,
  );
  const made = makeRelease(site, release);
  await client.push(made, () => {});
  await client.route(release.name, {
    key: 'bench',
    expectedGeneration: 0,
    stableRoot: made.root,
    canary: null,
  });
  await client.close();
  return agent;
}

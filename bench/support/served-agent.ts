/** The built agent with the sample model served, for benches that ask it. */
import { createAgentConnector } from '../../electron/adapters/endpoints/agent/index.ts';
import { requireMapping } from '../../shared/domain/model/guess-mapping.ts';
import { readOnnx } from '../../shared/domain/onnx/reader.ts';
import { startAgent, type TestAgent } from '../../test/support/agent.ts';
import { makeRelease, makeSite } from '../../test/support/release.ts';
import { built } from './program.ts';
import { sampleModel } from './sample-rows.ts';

/** `name` = the model callers ask for. The caller removes the agent. */
export async function servedAgent(name: string): Promise<TestAgent> {
  const { bytes } = sampleModel('1.1.0');
  const { summary } = readOnnx({
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, offset + length),
  });
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
  const release = makeRelease(site, { name, model: bytes, mapping: requireMapping(summary) });
  await client.push(release, () => {});
  await client.route(name, { key: 'bench', expectedGeneration: 0, stableRoot: release.root, canary: null });
  await client.close();
  return agent;
}

/** `agent health`: asks the agent that runs with a configuration how it is, for supervisors that start a program. */
import { SallyportError } from '../shared/domain/errors.ts';
import type { AgentConfig } from './config.ts';
import { askOwnAgent, CertificateAsked } from './own-agent.ts';

/**
 * Resolves when `GET /health` of the predict listener answers 200; otherwise `endpoint.unreachable`. A listener that asks
 * for client certificates is alive when it asks for one.
 */
export async function checkHealth({ predict }: AgentConfig): Promise<void> {
  try {
    const { status } = await askOwnAgent('predict', predict, { method: 'GET', path: '/health' });
    if (status === 200) return;
    throw new SallyportError('endpoint.unreachable', `The agent answered ${status}.`);
  } catch (error) {
    if (!(error instanceof CertificateAsked)) throw error;
  }
}

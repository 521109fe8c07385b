/** `agent drain`: takes the agent that runs with a configuration, or one of its models, out of traffic, and in again. */
import { z } from 'zod';
import { type DrainAnswer, drainAnswerSchema } from '../shared/domain/endpoint/admin-api.ts';
import { SallyportError } from '../shared/domain/errors.ts';
import type { AgentConfig } from './config.ts';
import { askOwnAgent, CertificateAsked, type OwnAnswer } from './own-agent.ts';

const PATH = '/admin/v1/drain';

/** `model` null = the whole agent. */
export interface DrainChange {
  readonly model: string | null;
  readonly draining: boolean;
}

/**
 * What is drained now, and how many calls are under way; null changes nothing. `token` needs the scope deploy, to look
 * read. Errors: `endpoint.unauthorized`, `not-found` for a model not served here, `endpoint.unreachable`.
 */
export async function drainAgent(
  { admin }: AgentConfig,
  token: string,
  change: DrainChange | null,
): Promise<DrainAnswer> {
  const { status, text } = await ask(admin, token, change);
  if (status === 200) return drainAnswerSchema.parse(JSON.parse(text));
  const detail = detailOf(text);
  if (status === 401 || status === 403) throw new SallyportError('endpoint.unauthorized', detail);
  throw new SallyportError(status === 404 ? 'not-found' : 'endpoint.refused', detail);
}

async function ask(admin: AgentConfig['admin'], token: string, body: DrainChange | null): Promise<OwnAnswer> {
  try {
    return await askOwnAgent(
      'admin',
      admin,
      body ? { method: 'POST', path: PATH, token, body } : { method: 'GET', path: PATH, token },
    );
  } catch (error) {
    if (!(error instanceof CertificateAsked)) throw error;
    throw new SallyportError('endpoint.unauthorized', 'The admin listener asks for a client certificate.', {
      hint: `Nothing was changed. POST ${PATH} with one, or stop the agent: that drains it.`,
    });
  }
}

function detailOf(text: string): string {
  const answer = z.object({ detail: z.string() }).safeParse(parsed(text));
  return answer.success ? answer.data.detail : 'The agent did not say why it refused.';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

import { z } from 'zod';
import { policySchema } from './policy.ts';

/** The policy's schema for editors and other tools: JSON Schema, draft 2020-12. */
export function policyJsonSchema(): Record<string, unknown> {
  return {
    ...z.toJSONSchema(policySchema, { target: 'draft-2020-12' }),
    title: 'Sallyport release policy',
    description: 'What a version has to show before it may go out to an environment.',
  };
}

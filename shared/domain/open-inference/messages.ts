/** What travels in JSON on `/v2`. Unknown members and parameters are ignored, as the protocol says. */
import { z } from 'zod';
import { DATATYPES } from './datatypes.ts';

const parametersSchema = z.record(z.string(), z.unknown());
const datatypeSchema = z
  .enum(DATATYPES as [string, ...string[]])
  .transform((word) => word as (typeof DATATYPES)[number]);
const nameSchema = z.string().min(1).max(1000);
/** Dimensions of a tensor that is sent. No model of the field has more than a few. */
const shapeSchema = z.array(z.int().min(0)).max(16);

export const requestInputSchema = z.object({
  name: nameSchema,
  shape: shapeSchema,
  datatype: datatypeSchema,
  parameters: parametersSchema.optional(),
  data: z.unknown().optional(),
});
export const requestOutputSchema = z.object({ name: nameSchema, parameters: parametersSchema.optional() });

export const inferRequestSchema = z.object({
  id: z.string().max(1000).optional(),
  parameters: parametersSchema.optional(),
  inputs: z.array(requestInputSchema).min(1).max(1000),
  outputs: z.array(requestOutputSchema).max(1000).optional(),
});
export type InferRequestMessage = z.infer<typeof inferRequestSchema>;

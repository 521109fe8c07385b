/** The body of an infer request, to tensors. What it says of itself is not believed until the bytes agree. */
import { isUtf8 } from 'node:buffer';
import type { z } from 'zod';
import type { ProtocolTensor, TensorData } from '../../domain/open-inference/datatypes.ts';
import { parseExact, readJsonData } from '../../domain/open-inference/json-data.ts';
import { type InferRequestMessage, inferRequestSchema } from '../../domain/open-inference/messages.ts';
import { malformed, unfit } from '../../domain/open-inference/problem.ts';
import { readBinaryData } from './binary-data.ts';

export interface WantedOutput {
  readonly name: string;
  /** Answered as bytes after the JSON, or in it. */
  readonly binary: boolean;
}

export interface InferRequest {
  readonly id: string | undefined;
  readonly inputs: readonly ProtocolTensor[];
  /** null = all outputs. */
  readonly outputs: readonly WantedOutput[] | null;
  /** How outputs are answered that are not named. */
  readonly binaryByDefault: boolean;
}

type Input = InferRequestMessage['inputs'][number];

/** Parameters that change what an answer means, and that an answer without them would lie about. */
const NOT_OFFERED = ['shared_memory_region', 'classification'];

/**
 * `headerLength`: the text of `Inference-Header-Content-Length`; undefined = the whole body is JSON. Throws `usage`
 * (400) for a body that cannot be read and `input.invalid` (422) for one that asks for what cannot be.
 */
export function readInferRequest(body: Uint8Array, headerLength: string | undefined): InferRequest {
  const split = splitAt(body, headerLength);
  const json = body.subarray(0, split);
  if (!isUtf8(json)) throw malformed('The JSON of this request is not UTF-8.');
  const text = Buffer.from(json.buffer, json.byteOffset, json.byteLength).toString('utf8');
  const message = parse(text);
  const binaryByDefault = flag(message.parameters, 'binary_data_output', 'The request') ?? false;
  return {
    id: message.id,
    inputs: readInputs(message.inputs, text, headerLength === undefined ? null : body.subarray(split)),
    outputs: message.outputs?.length ? readOutputs(message.outputs, binaryByDefault) : null,
    binaryByDefault,
  };
}

function splitAt(body: Uint8Array, headerLength: string | undefined): number {
  if (headerLength === undefined) return body.length;
  const length = /^[0-9]{1,12}$/.test(headerLength) ? Number(headerLength) : Number.NaN;
  if (length >= 1 && length <= body.length) return length;
  throw malformed(
    `Inference-Header-Content-Length is the length of the JSON, 1 to ${body.length} bytes of this body.`,
  );
}

function parse(text: string): InferRequestMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed('The JSON of this request cannot be read.');
  }
  const result = inferRequestSchema.safeParse(value);
  if (result.success) return result.data;
  throw unfit(issueText(value, result.error.issues[0]));
}

/** Inputs are called by their names, where they have them. */
function issueText(value: unknown, issue: z.core.$ZodIssue | undefined): string {
  const [list, index, ...rest] = issue?.path ?? [];
  const what = issue?.message ?? 'not valid';
  const named =
    typeof index === 'number'
      ? (value as { inputs?: { name?: unknown }[] }).inputs?.[index]?.name
      : undefined;
  if (list === 'inputs' && typeof named === 'string')
    return `Input "${named.slice(0, 100)}": ${rest.length > 0 ? `${rest.join('.')}: ` : ''}${what}`;
  return issue && issue.path.length > 0 ? `${issue.path.join('.')}: ${what}` : `The request: ${what}`;
}

function readInputs(inputs: readonly Input[], text: string, binary: Uint8Array | null): ProtocolTensor[] {
  const seen = new Set<string>();
  let exact: InferRequestMessage | null = null;
  let rest = binary;
  const tensors = inputs.map((input, index): ProtocolTensor => {
    const { name, datatype, shape } = input;
    if (seen.has(name)) throw unfit(`Input "${name}" is there more than once.`);
    seen.add(name);
    refuseNotOffered(input.parameters, `Input "${name}"`);
    const size = input.parameters?.binary_data_size;
    if (size !== undefined) {
      const bytes = take(name, size, input, rest);
      rest = rest?.subarray(bytes.length) ?? null;
      return { name, datatype, shape, data: readBinaryData(name, datatype, shape, bytes) };
    }
    if (input.data === undefined)
      throw unfit(`Input "${name}" has neither \`data\` nor the parameter \`binary_data_size\`.`);
    const exactData = (): unknown => {
      exact ??= exactly(text);
      return exact.inputs[index]?.data;
    };
    const data: TensorData = readJsonData({
      name,
      datatype,
      shape,
      data: input.data,
      exactData,
      atMost: text.length,
    });
    return { name, datatype, shape, data };
  });
  if (rest && rest.length > 0) throw malformed(`${rest.length} bytes follow the binary data of the inputs.`);
  return tensors;
}

function take(name: string, size: unknown, input: Input, rest: Uint8Array | null): Uint8Array {
  if (input.data !== undefined)
    throw malformed(`Input "${name}" has both \`data\` and \`binary_data_size\`.`);
  if (!Number.isSafeInteger(size) || (size as number) < 0)
    throw malformed(`Input "${name}": \`binary_data_size\` is a number of bytes.`);
  if (rest === null)
    throw malformed(
      `Input "${name}" is binary, and the header Inference-Header-Content-Length does not say where the JSON ends.`,
    );
  if ((size as number) > rest.length)
    throw malformed(
      `Input "${name}": \`binary_data_size\` is ${size}; ${rest.length} bytes are left of the body.`,
    );
  return rest.subarray(0, size as number);
}

function exactly(text: string): InferRequestMessage {
  try {
    return parseExact(text) as InferRequestMessage;
  } catch {
    throw malformed('The lists of this request are nested too deeply.');
  }
}

function readOutputs(
  outputs: NonNullable<InferRequestMessage['outputs']>,
  binaryByDefault: boolean,
): WantedOutput[] {
  const seen = new Set<string>();
  return outputs.map(({ name, parameters }) => {
    if (seen.has(name)) throw unfit(`Output "${name}" is asked for more than once.`);
    seen.add(name);
    refuseNotOffered(parameters, `Output "${name}"`);
    return { name, binary: flag(parameters, 'binary_data', `Output "${name}"`) ?? binaryByDefault };
  });
}

function flag(parameters: Input['parameters'], key: string, whose: string): boolean | undefined {
  const value = parameters?.[key];
  if (value === undefined || typeof value === 'boolean') return value;
  throw unfit(`${whose}: the parameter \`${key}\` is true or false.`);
}

function refuseNotOffered(parameters: Input['parameters'], whose: string): void {
  const found = NOT_OFFERED.find((key) => parameters?.[key] !== undefined);
  if (found !== undefined) throw unfit(`${whose}: the parameter \`${found}\` is not offered here.`);
}

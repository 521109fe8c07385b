/** Tensors to the body of an infer response. */
import type { ProtocolTensor } from '../../domain/open-inference/datatypes.ts';
import { unfit } from '../../domain/open-inference/problem.ts';
import { writeBinaryData } from './binary-data.ts';

export interface AnsweredTensor extends ProtocolTensor {
  readonly binary: boolean;
}

export interface InferResponse {
  readonly model_name: string;
  readonly model_version: string;
  readonly id: string | undefined;
  readonly outputs: readonly AnsweredTensor[];
}

export interface InferResponseBody {
  readonly body: Buffer;
  /** For `Inference-Header-Content-Length`; null where the whole body is JSON. */
  readonly headerLength: number | null;
}

/** Throws (422) for FP16 and for numbers that are not finite where they were not asked for as binary data. */
export function writeInferResponse({ outputs, ...head }: InferResponse): InferResponseBody {
  const parts: Uint8Array[] = [];
  const texts = outputs.map((output) => {
    const { name, datatype, shape, data, binary } = output;
    if (!binary) return `${open({ name, datatype, shape })},"data":${jsonData(output)}}`;
    const bytes = writeBinaryData(data);
    parts.push(bytes);
    return JSON.stringify({ name, datatype, shape, parameters: { binary_data_size: bytes.length } });
  });
  const json = Buffer.from(`${open(head)},"outputs":[${texts.join(',')}]}`);
  if (!outputs.some(({ binary }) => binary)) return { body: json, headerLength: null };
  return { body: Buffer.concat([json, ...parts]), headerLength: json.length };
}

/** An object as JSON, without its last brace. */
function open(value: object): string {
  return JSON.stringify(value).slice(0, -1);
}

/** By hand where `JSON.stringify` knows the array differently: whole numbers of 64 bits are written with every digit. */
function jsonData({ name, datatype, data }: ProtocolTensor): string {
  if (datatype === 'FP16')
    throw unfit(`Output "${name}" is FP16, which JSON has no numbers for: ask for it as binary data.`);
  if (!ArrayBuffer.isView(data)) return JSON.stringify(data);
  if (datatype === 'BOOL') return `[${Array.from(data as Uint8Array, (value) => value !== 0).join(',')}]`;
  if (data instanceof Float32Array || data instanceof Float64Array) {
    const odd = data.findIndex((value) => !Number.isFinite(value));
    if (odd >= 0)
      throw unfit(
        `Output "${name}" is ${data[odd]} at value ${odd + 1}, which JSON has no number for: ask for it as binary data.`,
      );
  }
  return `[${data.join(',')}]`;
}

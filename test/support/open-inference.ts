/**
 * A client of the Open Inference Protocol that shares no code with the program: it writes what Triton's stock client
 * writes, element by element, and reads answers the same way.
 */

export type Element = number | bigint | boolean | string;

export interface ClientTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly values: readonly Element[];
  /** In JSON where false. */
  readonly binary?: boolean;
}

export interface ClientRequest {
  readonly inputs: readonly ClientTensor[];
  readonly outputs?: readonly { readonly name: string; readonly parameters?: object }[];
  readonly id?: string;
  readonly parameters?: object;
}

export interface ClientBody {
  readonly body: Buffer;
  /** `Inference-Header-Content-Length` where there is binary data. */
  readonly headers: Readonly<Record<string, string>>;
}

interface Width {
  readonly bytes: number;
  readonly write: (view: DataView, at: number, value: Element) => void;
  readonly read: (view: DataView, at: number) => Element;
}

const number = (bytes: number, set: string, get: string): Width => ({
  bytes,
  write: (view, at, value) =>
    (view as unknown as Record<string, (...args: unknown[]) => void>)[set]?.(at, value, true),
  read: (view, at) =>
    (view as unknown as Record<string, (...args: unknown[]) => Element>)[get]?.(at, true) ?? Number.NaN,
});

const WIDTHS: Readonly<Record<string, Width>> = {
  BOOL: {
    bytes: 1,
    write: (view, at, value) => view.setUint8(at, value ? 1 : 0),
    read: (view, at) => view.getUint8(at) !== 0,
  },
  UINT8: number(1, 'setUint8', 'getUint8'),
  UINT16: number(2, 'setUint16', 'getUint16'),
  UINT32: number(4, 'setUint32', 'getUint32'),
  UINT64: number(8, 'setBigUint64', 'getBigUint64'),
  INT8: number(1, 'setInt8', 'getInt8'),
  INT16: number(2, 'setInt16', 'getInt16'),
  INT32: number(4, 'setInt32', 'getInt32'),
  INT64: number(8, 'setBigInt64', 'getBigInt64'),
  FP16: number(2, 'setFloat16', 'getFloat16'),
  FP32: number(4, 'setFloat32', 'getFloat32'),
  FP64: number(8, 'setFloat64', 'getFloat64'),
};

export const ALL_DATATYPES = [...Object.keys(WIDTHS), 'BYTES'];

/** A tensor's bytes as they follow the JSON. */
export function tensorBytes(datatype: string, values: readonly Element[]): Buffer {
  if (datatype === 'BYTES') {
    return Buffer.concat(
      values.flatMap((value) => {
        const text = Buffer.from(String(value));
        const length = Buffer.alloc(4);
        length.writeUInt32LE(text.length);
        return [length, text];
      }),
    );
  }
  const width = WIDTHS[datatype];
  if (!width) throw new Error(`no datatype ${datatype}`);
  const bytes = Buffer.alloc(values.length * width.bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [index, value] of values.entries()) width.write(view, index * width.bytes, value);
  return bytes;
}

export function readTensorBytes(datatype: string, bytes: Buffer): Element[] {
  const values: Element[] = [];
  if (datatype === 'BYTES') {
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUInt32LE(at);
      values.push(bytes.toString('utf8', at + 4, at + 4 + length));
      at += 4 + length;
    }
    return values;
  }
  const width = WIDTHS[datatype];
  if (!width) throw new Error(`no datatype ${datatype}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += width.bytes) values.push(width.read(view, at));
  return values;
}

/** Whole numbers of 64 bits with every digit, which `JSON.stringify` refuses. */
function jsonOf(values: readonly Element[]): string {
  return `[${values.map((value) => (typeof value === 'bigint' ? String(value) : JSON.stringify(value))).join(',')}]`;
}

export function requestBody({ inputs, ...rest }: ClientRequest): ClientBody {
  const parts: Buffer[] = [];
  const texts = inputs.map(({ name, datatype, shape, values, binary }) => {
    const head = { name, shape, datatype };
    if (binary === false) return `${JSON.stringify(head).slice(0, -1)},"data":${jsonOf(values)}}`;
    const bytes = tensorBytes(datatype, values);
    parts.push(bytes);
    return JSON.stringify({ ...head, parameters: { binary_data_size: bytes.length } });
  });
  const tail = JSON.stringify(rest).slice(1, -1);
  const json = Buffer.from(`{"inputs":[${texts.join(',')}]${tail === '' ? '' : `,${tail}`}}`);
  return {
    body: Buffer.concat([json, ...parts]),
    headers: parts.length > 0 ? { 'inference-header-content-length': String(json.length) } : {},
  };
}

export interface ClientAnswer {
  readonly model_name: string;
  readonly model_version: string;
  readonly id?: string;
  readonly outputs: readonly {
    readonly name: string;
    readonly datatype: string;
    readonly shape: readonly number[];
    readonly data?: readonly Element[];
    readonly parameters?: { readonly binary_data_size: number };
    /** Either way. */
    readonly values: readonly Element[];
  }[];
}

/** `headerLength` as the answer's header says it. */
export function readAnswer(body: Buffer, headerLength: string | null): ClientAnswer {
  const json = body.subarray(0, headerLength === null ? body.length : Number(headerLength));
  const answer = JSON.parse(json.toString('utf8'), (_key, value, context?: { source?: string }) =>
    typeof value === 'number' &&
    Number.isInteger(value) &&
    !Number.isSafeInteger(value) &&
    /^-?\d+$/.test(context?.source ?? '')
      ? BigInt(context?.source ?? '')
      : value,
  ) as ClientAnswer;
  let at = json.length;
  const outputs = answer.outputs.map((output) => {
    const size = output.parameters?.binary_data_size;
    if (size === undefined) return { ...output, values: output.data ?? [] };
    const bytes = Buffer.from(body.subarray(at, at + size));
    at += size;
    return { ...output, values: readTensorBytes(output.datatype, bytes) };
  });
  if (at !== body.length) throw new Error(`${body.length - at} bytes follow the outputs`);
  return { ...answer, outputs };
}

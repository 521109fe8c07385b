/** The smallest valid ONNX files, written field by field: for tests that need *a* model, of any size, and not a good one. */

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}

const number = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
const bytes = (field: number, value: Uint8Array): Buffer =>
  Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);
const text = (field: number, value: string): Buffer => bytes(field, Buffer.from(value));
const message = (field: number, ...parts: Buffer[]): Buffer => bytes(field, Buffer.concat(parts));

/** `name`: float32 [N, width]. */
function floatValue(field: number, name: string, width: number): Buffer {
  const dimensions = message(2, message(1, text(2, 'N')), message(1, number(1, width)));
  return message(field, text(1, name), message(2, message(1, number(1, 1), dimensions)));
}

export interface MinimalOnnx {
  /** Columns of input and output. */
  readonly width?: number;
  /** Bytes of an additional float tensor that nothing uses, a multiple of 4: makes the file as large as wanted. */
  readonly weightBytes?: number;
  /** Keeps the tensor's bytes in this other file: an attack that the scan refuses. */
  readonly externalLocation?: string;
}

/** `y = x + w`, ai.onnx opset 17. */
export function minimalOnnx({
  width = 2,
  weightBytes = 4 * width,
  externalLocation,
}: MinimalOnnx = {}): Buffer {
  const data = Buffer.alloc(weightBytes);
  for (let at = 0; at + 4 <= weightBytes; at += 4) data.writeFloatLE((at % 1009) / 7, at);
  const stored =
    externalLocation === undefined
      ? bytes(9, data)
      : Buffer.concat([message(13, text(1, 'location'), text(2, externalLocation)), number(14, 1)]);
  const graph = message(
    7,
    message(1, text(1, 'x'), text(1, 'w'), text(2, 'y'), text(3, 'add'), text(4, 'Add')),
    text(2, 'minimal'),
    message(5, number(1, weightBytes / 4), number(2, 1), text(8, 'w'), stored),
    floatValue(11, 'x', width),
    floatValue(12, 'y', width),
  );
  return Buffer.concat([
    number(1, 8),
    text(2, 'minimal-onnx'),
    graph,
    message(8, text(1, ''), number(2, 17)),
  ]);
}

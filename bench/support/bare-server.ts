/**
 * What the agent is measured beside: `node:http` that parses the same body and runs the model in its own process. No
 * tokens, no checks, no routing, no process that may crash alone: the most that a server in this runtime can answer.
 * `node bare-server.ts model.onnx` sends its address to its parent.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as ort from 'onnxruntime-node';
import '../../shared/node/onnx/no-telemetry.ts';

interface Body {
  readonly features: readonly number[] | readonly (readonly number[])[];
}

const session = await ort.InferenceSession.create(process.argv[2] ?? '', { intraOpNumThreads: 1 });
const input = session.inputNames[0] ?? '';
const label = session.outputNames[0] ?? '';

async function answer(text: string): Promise<string> {
  const started = performance.now();
  const { features } = JSON.parse(text) as Body;
  const rows = (Array.isArray(features[0]) ? features : [features]) as readonly (readonly number[])[];
  const width = rows[0]?.length ?? 0;
  const tensor = new ort.Tensor('float32', Float32Array.from(rows.flat()), [rows.length, width]);
  const outputs = await session.run({ [input]: tensor });
  return JSON.stringify({
    predictions: Array.from(outputs[label]?.data as BigInt64Array, Number),
    model_version: 'bare',
    latency_ms: performance.now() - started,
  });
}

const server = createServer((request, response) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', async () => {
    const body = await answer(Buffer.concat(pieces).toString('utf8'));
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    });
    response.end(body);
  });
});

process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () =>
  process.send?.({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/predict` }),
);

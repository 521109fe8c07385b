/**
 * What the agent is measured beside: fastify with nothing around it. `echo` parses the body and answers at once (the
 * least an HTTP server in this runtime costs); `model` also runs the model in its own process, as a service written
 * in an afternoon would: no tokens, no checks, no routing, no process that may crash alone.
 * `node bare-server.ts echo|model [model.onnx]` prints its port.
 */
import Fastify from 'fastify';
import * as ort from 'onnxruntime-node';

interface Body {
  readonly features: readonly number[];
}

const [mode, modelPath] = process.argv.slice(2);
const app = Fastify();
const session =
  mode === 'model' ? await ort.InferenceSession.create(modelPath ?? '', { intraOpNumThreads: 1 }) : null;

app.post('/predict', async (request) => {
  const { features } = request.body as Body;
  if (session === null) return { predictions: [0], model_version: 'echo', latency_ms: 0 };
  const started = performance.now();
  const input = new ort.Tensor('float32', Float32Array.from(features), [1, features.length]);
  const outputs = await session.run({ [session.inputNames[0] ?? '']: input });
  const label = outputs[session.outputNames[0] ?? ''];
  return {
    predictions: Array.from(label?.data as BigInt64Array, Number),
    model_version: 'bare',
    latency_ms: performance.now() - started,
  };
});

process.on('disconnect', () => process.exit(0));
const address = await app.listen({ host: '127.0.0.1', port: 0 });
process.send?.({ url: `${address}/predict` });

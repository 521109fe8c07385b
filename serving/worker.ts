/** Entry of an inference process: it gets model bytes and rows, never keys, tokens or the disk's releases. */
import { serveInference } from '../shared/node/onnx/worker-server.ts';
import { openSocketPort } from './inference/worker-port.ts';

serveInference(openSocketPort());

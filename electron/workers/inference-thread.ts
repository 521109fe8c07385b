import { serveSessions } from '../../shared/node/onnx/session-thread.ts';

// Models run in this thread of the inference worker, so that reading and counting go on beside them.
serveSessions();

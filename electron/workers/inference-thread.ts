import { compareRanks, type RankedPair } from '../../shared/domain/metrics/index.ts';
import { serveSessions } from '../../shared/node/onnx/session-thread.ts';

// Models run in this thread of the inference worker, so that reading and counting go on beside them; when the last row
// has come, it compares them while each is measured by itself.
serveSessions((pair) => compareRanks(pair as RankedPair));

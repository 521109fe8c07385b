import { SallyportError } from '../errors.ts';
import { readClassLabels } from './class-labels.ts';
import { collect } from './collect.ts';
import { type Decoded, decodeInto } from './decode.ts';
import { DEFAULT_ONNX_LIMITS, type OnnxLimits } from './limits.ts';
import type { OnnxReading } from './reading.ts';
import { MODEL } from './schema.ts';
import type { ByteSource, OnnxSummary } from './summary.ts';
import { weighsBothClasses } from './tree-classes.ts';
import { WireCursor, WireFault } from './wire.ts';

const HINT = 'Nothing was registered and no runtime has seen the file.';

/**
 * Reads what an ONNX file is: bounded in time and memory by `limits`, without recursion, and without reading the
 * weights. Whatever the bytes are, it returns or throws a `SallyportError`:
 * `model.not-onnx` (another format, or damaged), `model.truncated` (an ONNX file that ends early),
 * `model.unsupported` (beyond a limit).
 *
 * `summary.parameterCount` is the number of elements of all initializers (for sparse ones, of the values stored) and,
 * in ai.onnx.ml nodes, of all float lists and floating-point tensors: thresholds and weights of trees, coefficients of
 * linear models. Integer lists of trees (feature and branch indices) are structure and not counted; hit rates are.
 * Training graphs, nested graphs and function bodies count like the main graph.
 */
export function readOnnx(source: ByteSource, limits: OnnxLimits = DEFAULT_ONNX_LIMITS): OnnxReading {
  if (source.size === 0)
    throw new SallyportError('model.not-onnx', 'This file is not an ONNX model: it is empty.', {
      hint: HINT,
    });
  if (source.size > limits.fileBytes) {
    throw new SallyportError(
      'model.unsupported',
      `This file has ${source.size} bytes; a model may have at most ${limits.fileBytes}.`,
      { hint: HINT },
    );
  }
  const model = MODEL.create();
  let decoded: Decoded;
  try {
    decoded = decodeInto(new WireCursor(source), MODEL, model, limits);
  } catch (error) {
    if (error instanceof WireFault) throw refusal(error, isPlausible(model.irVersion), source.size);
    throw error;
  }
  if (!isPlausible(model.irVersion)) {
    throw new SallyportError('model.not-onnx', 'This file is not an ONNX model: it states no IR version.', {
      hint: HINT,
    });
  }
  if (model.graph === null) {
    throw new SallyportError(
      'model.truncated',
      `This ONNX file is cut short: it ends after ${source.size} bytes, before its graph.`,
      { hint: HINT },
    );
  }
  // Exporters write the opsets after the graph; since IR version 3 there is no model without them.
  if (model.opsets.length === 0 && (model.irVersion ?? 0) >= 3) {
    throw new SallyportError(
      'model.truncated',
      `This ONNX file is cut short: it ends after ${source.size} bytes, before its operator-set imports.`,
      { hint: HINT },
    );
  }
  const reading = collect(model, model.graph, decoded, source.size);
  const classes = readClassLabels(source);
  if (classes === null) return reading;
  const wrong = classes.labels.length === 2 && hasTrees(reading.summary) && weighsBothClasses(source);
  return {
    ...reading,
    summary: { ...reading.summary, classes, ...(wrong ? { labelsUnreliable: true } : {}) },
  };
}

function hasTrees({ operators }: OnnxSummary): boolean {
  return operators.some(({ type, domain }) => type === 'TreeEnsembleClassifier' && domain === 'ai.onnx.ml');
}

/** IR versions are small numbers; other formats' bytes rarely spell one in field 1. */
function isPlausible(irVersion: number | null): boolean {
  return irVersion !== null && irVersion >= 1 && irVersion <= 1000;
}

function refusal(fault: WireFault, isOnnx: boolean, size: number): SallyportError {
  if (!isOnnx)
    return new SallyportError('model.not-onnx', `This file is not an ONNX model: ${fault.message}.`, {
      hint: HINT,
      cause: fault,
    });
  switch (fault.kind) {
    case 'truncated':
      return new SallyportError(
        'model.truncated',
        `This ONNX file is cut short at ${size} bytes: ${fault.message}.`,
        { hint: HINT, cause: fault },
      );
    case 'malformed':
      return new SallyportError('model.not-onnx', `This ONNX file is damaged: ${fault.message}.`, {
        hint: HINT,
        cause: fault,
      });
    case 'limit':
      return new SallyportError(
        'model.unsupported',
        `This model is larger than what is read safely: ${fault.message}.`,
        { hint: HINT, cause: fault },
      );
  }
}

/** Operator sets that ONNX defines and the runtime itself implements, with the newest version the bundled runtime accepts. */
export const NEWEST_OPSET: ReadonlyMap<string, number> = new Map([
  ['', 26],
  ['ai.onnx.ml', 5],
  ['ai.onnx.training', 1],
  ['ai.onnx.preview.training', 1],
]);

/** onnxruntime's own operators: known, and not part of ONNX. */
export const VENDOR_DOMAIN = 'com.microsoft';

/** True for ONNX's own operator sets. */
export function isOnnxDomain(domain: string): boolean {
  return NEWEST_OPSET.has(domain);
}

/*
 * The messages of ONNX's own schema (onnx/onnx.proto, IR versions 1 to 14), as far as a decision is made from them.
 * Field numbers are that file's. Lists that most messages do not have are null until the first element comes:
 * a hostile file is made of millions of small messages.
 */

export interface RawModel {
  irVersion: number | null;
  producerName: string;
  producerVersion: string;
  modelVersion: number;
  docString: string;
  graph: RawGraph | null;
  opsets: RawOpset[];
  metadata: RawEntry[];
  training: RawTraining[];
  functions: RawFunction[];
}
export interface RawGraph {
  name: string;
  docString: string;
  nodes: RawNode[];
  initializers: RawTensor[];
  sparseInitializers: RawSparse[];
  inputs: RawValue[];
  outputs: RawValue[];
  metadata: RawEntry[] | null;
}
export interface RawNode {
  name: string;
  type: string;
  domain: string;
  overload: string;
  inputs: string[] | null;
  outputs: string[] | null;
  attributes: RawAttribute[] | null;
}
export interface RawAttribute {
  name: string;
  /** The first bytes of a string attribute, and its whole length. */
  text: string;
  textBytes: number;
  floats: number;
  tensor: RawTensor | null;
  graph: RawGraph | null;
  sparse: RawSparse | null;
  tensors: RawTensor[] | null;
  graphs: RawGraph[] | null;
  sparses: RawSparse[] | null;
}
export interface RawTensor {
  name: string;
  dims: number[] | null;
  dataType: number;
  /** Bytes of raw_data, or null without that field. */
  rawBytes: number | null;
  floats: number;
  /** At most that many elements where packed: one per byte. */
  int32s: number;
  int64s: number;
  uint64s: number;
  doubles: number;
  strings: number;
  external: RawEntry[] | null;
  /** True as soon as any occurrence of data_location is not DEFAULT. */
  elsewhere: boolean;
}
export interface RawSparse {
  values: RawTensor | null;
  indices: RawTensor | null;
  dims: number[] | null;
}
export interface RawValue {
  name: string;
  type: RawType | null;
}
export interface RawType {
  tensor: RawTensorType | null;
  sparse: RawTensorType | null;
  sequence: RawElement | null;
  optional: RawElement | null;
  map: RawMap | null;
}
export interface RawTensorType {
  elementType: number;
  shape: RawShape | null;
}
export interface RawElement {
  type: RawType | null;
}
export interface RawMap {
  keyType: number;
  value: RawType | null;
}
export interface RawShape {
  dims: RawDimension[];
}
export interface RawDimension {
  value: number | string | null;
}
export interface RawOpset {
  domain: string;
  version: number;
}
export interface RawEntry {
  key: string;
  value: string;
}
export interface RawTraining {
  initialization: RawGraph | null;
  algorithm: RawGraph | null;
}
export interface RawFunction {
  name: string;
  domain: string;
  overload: string;
  docString: string;
  inputs: string[];
  outputs: string[];
  attributes: RawAttribute[];
  nodes: RawNode[];
  opsets: RawOpset[];
  metadata: RawEntry[];
}

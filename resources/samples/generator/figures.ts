import type { Measured } from './measure.ts';

export const VERSIONS = ['1.0.0', '1.1.0', '1.2.0'] as const;
export type SampleVersion = (typeof VERSIONS)[number];

/** What was measured of one version, by the same arithmetic as the ONNX file but in float64. */
export interface VersionFigures {
  readonly version: SampleVersion;
  readonly labelled: Measured;
  readonly traffic: Measured;
  /** Share of the blind family's rows in the traffic that are found. */
  readonly blindRecall: number;
}

export interface Figures {
  readonly versions: readonly VersionFigures[];
  /** Pairs of neighbouring versions: how often they answer differently. */
  readonly disagreements: readonly {
    readonly a: SampleVersion;
    readonly b: SampleVersion;
    readonly labelled: number;
    readonly traffic: number;
  }[];
}

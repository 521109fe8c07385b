import type { FuseV1Config } from '@electron/fuses';

export const FUSES: FuseV1Config & { readonly [fuse: number]: boolean };
export function removeForeignFiles(folder: string, platform: string, arch: string): string[];

export function isForeignFile(path: string, platform: string, arch: string): boolean;

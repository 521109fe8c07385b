export function bundleAgent(directory: string): Promise<void>;

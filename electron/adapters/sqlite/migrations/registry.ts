/** Registry: search, collected files. */
export const REGISTRY = `
`;

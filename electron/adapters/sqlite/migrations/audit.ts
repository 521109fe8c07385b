/** Audit log: full-text search. */
export const AUDIT = `
`;

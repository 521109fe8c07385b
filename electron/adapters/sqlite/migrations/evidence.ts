/** Evidence: datasets, profiles, reports. */
export const EVIDENCE = `
`;

/** The search box's little language by example. The registry's reader of it is tested against these. */
export const GRAMMAR: readonly (readonly [string, string])[] = [
  ['phish url', 'both words in name, version, owner, tags or state'],
  ['name:phish', 'part of the name'],
  ['version:1.2', 'beginning of the version'],
  ['state:validated', 'draft, validated, archived, revoked'],
  ['alias:champion', 'carries this alias'],
  ['tag:email', 'carries this tag'],
  ['owner:"blue team"', 'part of the owner; quotes keep spaces'],
  ['digest:9f86d0', 'beginning of the digest'],
];

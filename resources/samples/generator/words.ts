/**
 * Vocabulary of the synthetic URLs. Every brand is invented, and every host name ends in a name that RFC 2606 or
 * RFC 6761 reserves (.example, .test, .invalid), every public IP address comes from the documentation ranges of
 * RFC 5737, so nothing here points at anybody.
 */
export const BRANDS: readonly string[] = [
  'quorvia',
  'zelbrook',
  'tarnuvo',
  'pelagrin',
  'ombrellix',
  'norvanta',
  'vexilume',
  'grindolo',
  'kestravel',
  'mirabund',
  'oltrevia',
  'fennimark',
  'drovella',
  'sarquist',
  'lumbranta',
  'havelmoor',
  'crestopay',
  'wendlebank',
  'ibexpost',
  'talloweb',
];

/** What stands in for the public suffix list, with how often each is abused: 0 seldom, 1 mostly. */
export const SUFFIX_RISK: Readonly<Record<string, number>> = {
  example: 0.1,
  'edu.example': 0,
  'gov.example': 0,
  'shop.example': 0.3,
  test: 0.5,
  'club.test': 0.7,
  'xyz.test': 0.9,
  'click.invalid': 1,
  invalid: 0.8,
};

/** Hosts where anybody gets a page for nothing. */
export const FREE_HOSTS: readonly string[] = [
  'freepages.example',
  'sitelet.example',
  'webcorner.test',
  'pageforge.test',
];
export const SHORTENERS: readonly string[] = ['go2.example', 'shrt.example', 'tny.test', 'lnk.example'];

/** Words that credential phishing leans on, and that honest sign-in pages use too. */
export const SUSPICIOUS_WORDS: readonly string[] = [
  'login',
  'signin',
  'verify',
  'secure',
  'account',
  'update',
  'confirm',
  'password',
  'wallet',
  'billing',
  'unlock',
  'recover',
  'suspend',
  'webscr',
  'invoice',
  'support',
  'token',
  'auth',
];
/** Parameter names that carry a redirect target. */
export const REDIRECT_PARAMETERS: readonly string[] = [
  'url',
  'u',
  'next',
  'redirect',
  'continue',
  'dest',
  'target',
  'return',
  'goto',
];

export const COMMON_WORDS: readonly string[] = [
  'garden',
  'news',
  'products',
  'about',
  'help',
  'articles',
  'travel',
  'recipes',
  'library',
  'events',
  'archive',
  'photos',
  'reports',
  'music',
  'science',
  'weather',
  'market',
  'sports',
  'history',
  'careers',
  'press',
  'blog',
  'docs',
  'guides',
  'catalog',
  'reviews',
  'forum',
  'topics',
  'video',
  'maps',
  'winter',
  'summer',
  'collection',
  'offers',
  'research',
  'projects',
  'teams',
  'local',
  'family',
];
export const SHOP_WORDS: readonly string[] = [
  'heron',
  'cedar',
  'maple',
  'copper',
  'willow',
  'harbour',
  'orchard',
  'lantern',
  'falcon',
  'meadow',
  'cobble',
  'ember',
  'thistle',
  'bicycle',
  'bakery',
  'pottery',
  'florist',
  'timber',
  'brewing',
  'optics',
  'studio',
  'repairs',
  'books',
  'teahouse',
  'cycles',
];
/** Honest names outside ASCII; written as punycode in a URL. */
export const IDN_NAMES: readonly string[] = [
  'bäckerei-müller',
  'café-olé',
  'smørrebrød',
  'łódź-rowery',
  'españa-viajes',
  'grünwald',
  'crème-atelier',
  'žižkov-kino',
  'århus-cykler',
];
/** Look-alikes of Latin letters in Cyrillic, for homoglyph hosts. */
export const HOMOGLYPHS: Readonly<Record<string, string>> = {
  a: 'а',
  e: 'е',
  o: 'о',
  i: 'і',
  r: 'г',
  p: 'р',
  u: 'ц',
  l: 'ӏ',
  n: 'п',
};

export const HEX = '0123456789abcdef';
export const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
export const LOWER = 'abcdefghijklmnopqrstuvwxyz';
export const DIGITS = '0123456789';

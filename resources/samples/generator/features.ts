import { log2, roundTo } from './numeric.ts';
import {
  BRANDS,
  FREE_HOSTS,
  REDIRECT_PARAMETERS,
  SHORTENERS,
  SUFFIX_RISK,
  SUSPICIOUS_WORDS,
} from './words.ts';

/** A URL taken apart once; every feature reads from here. */
interface UrlParts {
  readonly url: string;
  readonly scheme: string;
  readonly userInfo: string;
  readonly host: string;
  readonly port: string;
  readonly path: string;
  readonly query: string;
  readonly isIp: boolean;
  /** The name that was registered, e.g. `quorvia` of `www.quorvia.shop.example`; '' for an IP address. */
  readonly registered: string;
  readonly suffix: string;
  /** Labels before the registered name. */
  readonly subdomains: readonly string[];
  readonly parameters: readonly (readonly [name: string, value: string])[];
}

interface Feature {
  readonly name: string;
  readonly description: string;
  /** Decimals kept in the CSV; the model is trained on, and fed, the rounded value. */
  readonly digits: number;
  readonly of: (parts: UrlParts) => number;
}

const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const SHAPE = /^([a-z]+):\/\/(?:([^/?#@]*)@)?([^/?#:]*)(?::(\d+))?([^?#]*)(?:\?([^#]*))?/;

/** Takes a URL apart without normalising it: what a detector sees is the text. Throws RangeError on what is no URL. */
function partsOf(url: string): UrlParts {
  const match = SHAPE.exec(url);
  if (match === null) throw new RangeError(`Not a URL: ${url}`);
  const [, scheme = '', userInfo = '', host = '', port = '', path = '', query = ''] = match;
  const isIp = IPV4.test(host);
  const labels = isIp ? [] : host.split('.');
  const two = labels.slice(-2).join('.');
  const suffixLabels = two in SUFFIX_RISK ? 2 : 1;
  const suffix = labels.slice(-suffixLabels).join('.');
  const registered = labels[labels.length - suffixLabels - 1] ?? '';
  const subdomains = labels.slice(0, Math.max(0, labels.length - suffixLabels - 1));
  const parameters =
    query === ''
      ? []
      : query.split('&').map((pair) => {
          const equals = pair.indexOf('=');
          return equals < 0
            ? ([pair, ''] as const)
            : ([pair.slice(0, equals), pair.slice(equals + 1)] as const);
        });
  return { url, scheme, userInfo, host, port, path, query, isIp, registered, suffix, subdomains, parameters };
}

function countOf(text: string, accepts: (code: number) => boolean): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) if (accepts(text.charCodeAt(i))) count++;
  return count;
}
const isDigit = (code: number): boolean => code >= 48 && code <= 57;
const isVowel = (code: number): boolean =>
  code === 97 || code === 101 || code === 105 || code === 111 || code === 117;

/** Shannon entropy of the characters, in bits a character. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * log2(count / text.length);
  return bits;
}

/** Levenshtein distance, given up (as `limit`) once it cannot be below `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitution, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return Math.min(limit, previous[b.length] ?? limit);
}

const BRAND_DISTANCE_LIMIT = 4;
const distanceCache = new Map<string, number>();
function brandDistance(registered: string): number {
  const known = distanceCache.get(registered);
  if (known !== undefined) return known;
  const distance = Math.min(...BRANDS.map((brand) => editDistance(registered, brand, BRAND_DISTANCE_LIMIT)));
  if (distanceCache.size < 50_000) distanceCache.set(registered, distance);
  return distance;
}

const flag = (condition: boolean): number => (condition ? 1 : 0);
const registeredName = (parts: UrlParts): string => `${parts.registered}.${parts.suffix}`;
const outsideDomain = (parts: UrlParts): string =>
  `${parts.userInfo} ${parts.subdomains.join('.')} ${parts.path}`.toLowerCase();
const suffixRisk = (parts: UrlParts): number => (parts.isIp ? 0.5 : (SUFFIX_RISK[parts.suffix] ?? 1));

/** The URL that the first redirect parameter holding one sends on to, decoded, or null. */
function redirectTarget(parts: UrlParts): string | null {
  const found = parts.parameters.find(
    ([name, value]) => REDIRECT_PARAMETERS.includes(name) && /^https?(?::|%3a)/i.test(value),
  );
  return found === undefined ? null : decodeURIComponent(found[1]);
}

function targetRisk(parts: UrlParts): number {
  const target = redirectTarget(parts);
  return target === null ? 0 : suffixRisk(partsOf(target));
}

/**
 * The feature list, in column order: the one place that defines names, meaning, order and rounding. The CSV header,
 * the models' `features` metadata and the README's table are all made from it.
 */
export const FEATURES: readonly Feature[] = [
  { name: 'url_length', description: 'characters of the whole URL', digits: 0, of: (p) => p.url.length },
  { name: 'host_length', description: 'characters of the host', digits: 0, of: (p) => p.host.length },
  { name: 'path_length', description: 'characters of the path', digits: 0, of: (p) => p.path.length },
  { name: 'query_length', description: 'characters of the query', digits: 0, of: (p) => p.query.length },
  {
    name: 'path_depth',
    description: 'non-empty path segments',
    digits: 0,
    of: (p) => p.path.split('/').filter((s) => s !== '').length,
  },
  {
    name: 'dots',
    description: 'dots in the whole URL',
    digits: 0,
    of: (p) => countOf(p.url, (c) => c === 46),
  },
  {
    name: 'host_hyphens',
    description: 'hyphens in the host',
    digits: 0,
    of: (p) => countOf(p.host, (c) => c === 45),
  },
  { name: 'host_digits', description: 'digits in the host', digits: 0, of: (p) => countOf(p.host, isDigit) },
  {
    name: 'digit_ratio',
    description: 'share of digits in the URL',
    digits: 3,
    of: (p) => countOf(p.url, isDigit) / p.url.length,
  },
  {
    name: 'encoded_ratio',
    description: 'share of the URL that is percent-encoded',
    digits: 3,
    of: (p) => (3 * countOf(p.url, (c) => c === 37)) / p.url.length,
  },
  {
    name: 'host_entropy',
    description: 'Shannon entropy of the host, bits a character',
    digits: 3,
    of: (p) => entropy(p.host),
  },
  {
    name: 'path_entropy',
    description: 'Shannon entropy of path and query, bits a character',
    digits: 3,
    of: (p) => entropy(p.path + p.query),
  },
  {
    name: 'longest_token',
    description: 'longest run of letters and digits after the host',
    digits: 0,
    of: (p) => Math.max(0, ...`${p.path}?${p.query}`.split(/[^A-Za-z0-9]+/).map((t) => t.length)),
  },
  {
    name: 'vowel_ratio',
    description: 'share of vowels in the registered name',
    digits: 3,
    of: (p) => (p.registered === '' ? 0 : countOf(p.registered, isVowel) / p.registered.length),
  },
  {
    name: 'subdomains',
    description: 'labels before the registered name',
    digits: 0,
    of: (p) => p.subdomains.length,
  },
  { name: 'has_ip', description: '1 if the host is an IPv4 address', digits: 0, of: (p) => flag(p.isIp) },
  { name: 'has_port', description: '1 if a port is written', digits: 0, of: (p) => flag(p.port !== '') },
  {
    name: 'has_at',
    description: '1 if user information (`…@`) stands before the host',
    digits: 0,
    of: (p) => flag(p.userInfo !== ''),
  },
  {
    name: 'punycode',
    description: '1 if a host label starts with xn--',
    digits: 0,
    of: (p) => flag(p.host.includes('xn--')),
  },
  { name: 'plain_http', description: '1 without TLS', digits: 0, of: (p) => flag(p.scheme === 'http') },
  {
    name: 'suspicious_words',
    description: 'how many of the credential words occur in the URL',
    digits: 0,
    of: (p) => {
      const text = p.url.toLowerCase();
      return SUSPICIOUS_WORDS.filter((w) => text.includes(w)).length;
    },
  },
  {
    name: 'brand_outside_domain',
    description: '1 if a known brand stands in user information, subdomain or path of another domain',
    digits: 0,
    of: (p) => {
      const text = outsideDomain(p);
      return flag(!BRANDS.includes(p.registered) && BRANDS.some((b) => text.includes(b)));
    },
  },
  {
    name: 'brand_domain',
    description: '1 if the registered name is a known brand',
    digits: 0,
    of: (p) => flag(BRANDS.includes(p.registered)),
  },
  {
    name: 'brand_distance',
    description: `edit distance from the registered name to the nearest brand, at most ${BRAND_DISTANCE_LIMIT}`,
    digits: 0,
    of: (p) => (p.registered === '' ? BRAND_DISTANCE_LIMIT : brandDistance(p.registered)),
  },
  {
    name: 'suffix_risk',
    description: 'how often the suffix is abused, 0 to 1 (IP address: 0.5)',
    digits: 1,
    of: suffixRisk,
  },
  {
    name: 'free_host',
    description: '1 on a free hosting domain',
    digits: 0,
    of: (p) => flag(FREE_HOSTS.includes(registeredName(p))),
  },
  {
    name: 'shortener',
    description: '1 on a link shortener',
    digits: 0,
    of: (p) => flag(SHORTENERS.includes(registeredName(p))),
  },
  {
    name: 'redirect_target',
    description: '1 if a redirect parameter holds a URL',
    digits: 0,
    of: (p) => flag(redirectTarget(p) !== null),
  },
  {
    name: 'target_risk',
    description: "suffix_risk of the redirect target's host, 0 without one",
    digits: 1,
    of: targetRisk,
  },
  { name: 'parameters', description: 'query parameters', digits: 0, of: (p) => p.parameters.length },
];

export const FEATURE_NAMES: readonly string[] = FEATURES.map((feature) => feature.name);

/** The features of one URL, in the order of FEATURES, rounded as the CSV writes them. */
export function extractFeatures(url: string): number[] {
  const parts = partsOf(url);
  return FEATURES.map((feature) => roundTo(feature.of(parts), feature.digits));
}

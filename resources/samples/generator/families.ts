import { domainToASCII } from 'node:url';
import type { Random } from './random.ts';
import {
  BASE62,
  BRANDS,
  COMMON_WORDS,
  DIGITS,
  FREE_HOSTS,
  HEX,
  HOMOGLYPHS,
  IDN_NAMES,
  LOWER,
  REDIRECT_PARAMETERS,
  SHOP_WORDS,
  SHORTENERS,
  SUSPICIOUS_WORDS,
} from './words.ts';

/** One kind of URL: how it is written and what it is. */
export interface Family {
  readonly name: string;
  /** 1 = phishing. */
  readonly label: 0 | 1;
  readonly description: string;
  readonly make: (random: Random) => string;
}

const scheme = (r: Random, plain: number): string => (r.chance(plain) ? 'http' : 'https');
const words = (r: Random, from: number, to: number, separator: string): string =>
  Array.from({ length: r.int(from, to) }, () => r.pick(COMMON_WORDS)).join(separator);
const lures = (r: Random, from: number, to: number, separator: string): string =>
  Array.from({ length: r.int(from, to) }, () => r.pick(SUSPICIOUS_WORDS)).join(separator);
const riskySuffix = (r: Random): string =>
  r.pick(['test', 'club.test', 'xyz.test', 'xyz.test', 'invalid', 'click.invalid', 'example']);
const cheapSuffix = (r: Random): string =>
  r.pick(['club.test', 'xyz.test', 'xyz.test', 'invalid', 'click.invalid']);
const plainSuffix = (r: Random): string => r.pick(['example', 'example', 'example', 'shop.example', 'test']);
/** Names that sellers, clubs and (once broken into) phishers have alike. */
const smallSite = (r: Random): string =>
  `${r.pick(SHOP_WORDS)}${r.pick(['', '-'])}${r.pick(SHOP_WORDS)}${r.chance(0.25) ? r.int(1, 99) : ''}`;
const slug = (r: Random): string => `/${words(r, 1, 3, '/')}/${words(r, 2, 5, '-')}`;
const tracking = (r: Random): string =>
  `utm_source=${r.pick(COMMON_WORDS)}&utm_medium=${r.pick(['mail', 'social', 'web'])}&utm_id=${r.text(8, HEX)}`;
const documentationIp = (r: Random): string =>
  `${r.pick(['192.0.2', '198.51.100', '203.0.113'])}.${r.int(1, 254)}`;

/** One typing slip: a letter doubled, dropped, swapped with its neighbour, or replaced by a look-alike. */
function misspell(r: Random, name: string): string {
  const at = r.int(1, name.length - 2);
  const here = name.charAt(at);
  const lookAlike: Readonly<Record<string, string>> = {
    l: '1',
    o: '0',
    i: 'l',
    m: 'rn',
    e: '3',
    a: '4',
    v: 'u',
    b: 'd',
  };
  const slip = r.pick(['double', 'drop', 'swap', 'look']);
  if (slip === 'double') return name.slice(0, at) + here + name.slice(at);
  if (slip === 'drop') return name.slice(0, at) + name.slice(at + 1);
  if (slip === 'swap') return name.slice(0, at) + name.charAt(at + 1) + here + name.slice(at + 2);
  return name.slice(0, at) + (lookAlike[here] ?? r.text(1, LOWER)) + name.slice(at + 1);
}

function homoglyph(r: Random, name: string): string {
  const places = [...name].map((letter, at) => (letter in HOMOGLYPHS ? at : -1)).filter((at) => at >= 0);
  const at = r.pick(places);
  return `${name.slice(0, at)}${HOMOGLYPHS[name.charAt(at)] ?? ''}${name.slice(at + 1)}`;
}

/** A redirect parameter with its target; the target is percent-encoded as browsers do it, or left as typed. */
function redirect(r: Random, target: string, plain: number): string {
  const name = r.pick(REDIRECT_PARAMETERS);
  return `${name}=${r.chance(plain) ? target : encodeURIComponent(target)}`;
}

/** A page of a small site; a phisher who has broken in writes the same. */
function smallSitePage(r: Random): string {
  const page = r.chance(0.25)
    ? `/${r.pick(['account', 'login', 'support', 'invoice'])}${r.pick(['', '.php'])}`
    : slug(r);
  return `${scheme(r, 0.25)}://${r.pick(['www.', ''])}${smallSite(r)}.${r.chance(0.35) ? riskySuffix(r) : plainSuffix(r)}${page}`;
}

/** Somebody's page on free hosting, with nothing in its address that says whose. */
function freePage(r: Random): string {
  const name = `${r.pick(SHOP_WORDS)}${r.pick(['', '-'])}${r.pick(COMMON_WORDS)}${r.chance(0.3) ? r.int(1, 99) : ''}`;
  return `https://${name}.${r.pick(FREE_HOSTS)}/${r.chance(0.7) ? words(r, 1, 3, '/') : ''}`;
}

/** A brand in front of another domain: nearly always phishing, now and then a supplier's account page. */
function partnerPage(r: Random): string {
  return `${scheme(r, 0.35)}://${r.pick(['www.', '', ''])}${r.pick(BRANDS)}.${r.chance(0.5) ? 'example.' : ''}${lures(r, 1, 2, '-')}-${r.chance(0.5) ? r.text(r.int(3, 7), LOWER) : r.pick(COMMON_WORDS)}.${riskySuffix(r)}/${r.chance(0.7) ? lures(r, 1, 2, '/') : ''}`;
}

/** A newsletter's click counter, sending on to an article or a shop. */
function newsletterRedirect(r: Random): string {
  const target = `https://${r.pick(['www.', ''])}${r.chance(0.7) ? r.pick(BRANDS) : smallSite(r)}.example${slug(r)}`;
  return `${scheme(r, 0.08)}://${r.pick(['click', 'links', 'email', 'news'])}.${r.pick(BRANDS)}.example/${r.pick(['c', 't', 'out', 'r'])}/${r.text(r.int(6, 20), BASE62)}?${redirect(r, target, 0.15)}${r.chance(0.6) ? `&${tracking(r)}` : ''}`;
}

/** A trusted host's redirect page, sending on to an account page on a cheap suffix: honest senders and phishers alike. */
function campaignRedirect(r: Random): string {
  const target = `${scheme(r, 0.4)}://${r.chance(0.5) ? `${r.pick(BRANDS)}-` : ''}${lures(r, 1, 2, '-')}.${cheapSuffix(r)}/${lures(r, 1, 2, '/')}`;
  return `https://${r.pick(['www.', 'news.', 'go.', ''])}${r.pick(BRANDS)}.example/${r.pick(['redirect', 'out', 'link', 'away', 'r'])}?${r.chance(0.3) ? `id=${r.text(6, HEX)}&` : ''}${redirect(r, target, 0.35)}`;
}

const BENIGN: readonly Family[] = [
  {
    name: 'brand-site',
    label: 0,
    description: 'pages of known brands',
    make: (r) =>
      `${scheme(r, 0.04)}://${r.pick(['www.', 'www.', '', 'shop.', 'help.'])}${r.pick(BRANDS)}.example${r.chance(0.2) ? '/' : slug(r)}`,
  },
  {
    name: 'deep-link',
    label: 0,
    description: 'long article and product links with numbers',
    make: (r) =>
      `${scheme(r, 0.1)}://www.${r.chance(0.5) ? r.pick(BRANDS) : smallSite(r)}.${plainSuffix(r)}${slug(r)}/${r.text(r.int(5, 10), DIGITS)}${r.chance(0.5) ? `?${tracking(r)}` : '.html'}`,
  },
  {
    name: 'cdn',
    label: 0,
    description: 'hashed assets on delivery networks',
    make: (r) =>
      `https://${r.pick(['cdn', 'static', 'img', 'assets'])}${r.int(1, 9)}.${r.pick(BRANDS)}${r.pick(['cdn', 'static', ''])}.example/${r.text(2, HEX)}/${r.text(r.int(16, 40), HEX)}.${r.pick(['js', 'css', 'png', 'woff2'])}`,
  },
  {
    name: 'tracked-link',
    label: 0,
    description: 'redirecting links of newsletters, a quarter of them to account pages of small senders',
    make: (r) => (r.chance(0.25) ? campaignRedirect(r) : newsletterRedirect(r)),
  },
  {
    name: 'short-link',
    label: 0,
    description: 'shortened links',
    make: (r) => `https://${r.pick(SHORTENERS)}/${r.text(r.int(5, 8), BASE62)}`,
  },
  {
    name: 'idn-legit',
    label: 0,
    description: 'honest names outside ASCII',
    make: (r) =>
      `${scheme(r, 0.15)}://${r.pick(['www.', ''])}${domainToASCII(`${r.pick(IDN_NAMES)}.${plainSuffix(r)}`)}${slug(r)}`,
  },
  {
    name: 'institution',
    label: 0,
    description: 'universities and authorities',
    make: (r) =>
      `${scheme(r, 0.2)}://${r.pick(['www', 'lib', 'cs', 'portal', 'data'])}.${r.pick(SHOP_WORDS)}${r.pick(['ton', 'ford', 'moor', 'shire'])}.${r.pick(['edu.example', 'gov.example'])}/${r.chance(0.4) ? `~${r.text(r.int(4, 8), LOWER)}/` : ''}${words(r, 1, 4, '/')}${r.pick(['', '.html', '.pdf', '.php'])}`,
  },
  {
    name: 'sign-in',
    label: 0,
    description: "real sign-in and account pages, one in twenty on a partner's domain",
    make: (r) =>
      r.chance(0.05)
        ? partnerPage(r)
        : `https://${r.pick(['accounts', 'login', 'id', 'secure', 'my'])}.${r.chance(0.75) ? r.pick(BRANDS) : smallSite(r)}.${r.pick(['example', 'example', 'shop.example'])}/${lures(r, 1, 3, '/')}${r.chance(0.4) ? `?${redirect(r, `https://www.${r.pick(BRANDS)}.example/${r.pick(COMMON_WORDS)}`, 0.1)}` : ''}`,
  },
  {
    name: 'device-console',
    label: 0,
    description: 'consoles and services inside a network, by address',
    make: (r) =>
      `http://${r.chance(0.8) ? `10.${r.int(0, 40)}.${r.int(0, 255)}.${r.int(1, 254)}` : `192.168.${r.int(0, 20)}.${r.int(1, 254)}`}${r.chance(0.75) ? `:${r.pick([8080, 8443, 9090, 3000, 5000])}` : ''}/${r.pick(['', 'status', 'metrics', 'admin', 'ui/index.html', 'api/v1/nodes', 'dashboard'])}`,
  },
  { name: 'personal-page', label: 0, description: 'pages on free hosting', make: (r) => freePage(r) },
  {
    name: 'small-site',
    label: 0,
    description: 'small shops and clubs, some on cheap suffixes',
    make: (r) => smallSitePage(r),
  },
];

const PHISHING: readonly Family[] = [
  {
    name: 'typo-squat',
    label: 1,
    description: 'a brand name with one slip',
    make: (r) =>
      `${scheme(r, 0.3)}://${r.pick(['www.', '', 'my.'])}${misspell(r, r.pick(BRANDS))}.${r.chance(0.5) ? riskySuffix(r) : plainSuffix(r)}/${r.chance(0.8) ? `${lures(r, 1, 3, r.pick(['/', '-']))}${r.pick(['', '.php', '.html'])}` : ''}`,
  },
  {
    name: 'brand-subdomain',
    label: 1,
    description: 'a brand in the subdomain of another domain',
    make: (r) => partnerPage(r),
  },
  {
    name: 'ip-host',
    label: 1,
    description: 'a sign-in page on a bare address',
    make: (r) =>
      `http://${documentationIp(r)}${r.chance(0.25) ? `:${r.pick([8080, 81, 8000])}` : ''}/${r.chance(0.5) ? `${r.pick(BRANDS)}/` : ''}${lures(r, 1, 3, '/')}${r.pick(['', '.php', '/index.html'])}`,
  },
  {
    name: 'broken-in',
    label: 1,
    description: "a page hidden in somebody else's site, one in five without a trace in its address",
    make: (r) =>
      r.chance(0.2)
        ? smallSitePage(r)
        : `${scheme(r, 0.5)}://${r.pick(['www.', ''])}${smallSite(r)}.${r.chance(0.4) ? riskySuffix(r) : plainSuffix(r)}/${r.pick(['wp-content', 'wp-includes', 'uploads', 'images', '.well-known'])}/${r.text(r.int(6, 24), HEX)}/${r.chance(0.5) ? `${r.pick(BRANDS)}/` : ''}${lures(r, 1, 2, '/')}.php${r.chance(0.4) ? `?id=${r.text(r.int(8, 24), HEX)}` : ''}`,
  },
  {
    name: 'homoglyph',
    label: 1,
    description: 'a brand with a look-alike letter, as punycode',
    make: (r) =>
      `${scheme(r, 0.2)}://${r.pick(['www.', ''])}${domainToASCII(`${homoglyph(r, r.pick(BRANDS))}.${r.chance(0.4) ? riskySuffix(r) : plainSuffix(r)}`)}/${r.chance(0.75) ? lures(r, 1, 2, '/') : words(r, 1, 2, '/')}`,
  },
  {
    name: 'free-hosting',
    label: 1,
    description: "brand pages on free hosting, some of them like anybody's",
    make: (r) =>
      r.chance(0.15)
        ? freePage(r)
        : `https://${r.chance(0.65) ? r.pick(BRANDS) : r.pick(SHOP_WORDS)}${r.pick(['-', ''])}${r.chance(0.75) ? r.pick(SUSPICIOUS_WORDS) : r.pick(COMMON_WORDS)}${r.chance(0.4) ? r.int(1, 999) : ''}.${r.pick(FREE_HOSTS)}/${r.chance(0.4) ? lures(r, 1, 2, '/') : ''}`,
  },
  {
    name: 'user-info',
    label: 1,
    description: 'a brand before the @, another host behind it',
    make: (r) =>
      `${scheme(r, 0.4)}://${r.pick(['www.', ''])}${r.pick(BRANDS)}.example@${r.chance(0.4) ? documentationIp(r) : `${smallSite(r)}.${riskySuffix(r)}`}/${lures(r, 0, 2, '/')}`,
  },
  {
    name: 'data-exfil',
    label: 1,
    description: 'collected data carried out in the query',
    make: (r) =>
      `${scheme(r, 0.5)}://${r.text(r.int(7, 14), `${LOWER}${DIGITS}`)}.${riskySuffix(r)}/${r.pick(['c', 'gate', 'api', 'collect', 'p'])}${r.pick(['', '.php'])}?${r.pick(['d', 'data', 'p'])}=${r.text(r.int(24, 90), BASE62)}${r.chance(0.5) ? `&e=${r.text(r.int(4, 8), LOWER)}%40${r.pick(BRANDS)}.example` : ''}`,
  },
  {
    name: 'short-phish',
    label: 1,
    description: 'phishing behind a shortened link: hardly to be told from its text',
    make: (r) =>
      `${scheme(r, 0.2)}://${r.pick(SHORTENERS)}/${r.chance(0.35) ? `${r.pick(BRANDS)}-${r.pick(SUSPICIOUS_WORDS)}` : r.text(r.int(5, 8), BASE62)}`,
  },
  {
    name: 'open-redirect',
    label: 1,
    description: 'a redirect page of a trusted host that sends on to a phishing page',
    make: (r) => (r.chance(0.03) ? newsletterRedirect(r) : campaignRedirect(r)),
  },
];

export const FAMILIES: readonly Family[] = [...BENIGN, ...PHISHING];

/** The kind that 1.2.0 never learnt and `labelled.csv` lacks. */
export const BLIND_FAMILY = 'open-redirect';

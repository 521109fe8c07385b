import { readFile } from 'node:fs/promises';
import { extname, isAbsolute, join, relative, sep } from 'node:path';
import { isAppUrl } from './addresses.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.map': 'application/json; charset=utf-8',
};

/**
 * Everything from ourselves and nothing from elsewhere. Inline styles are allowed because the component library
 * writes its theme's variables into a style element; scripts are files of ours only.
 */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=(), usb=(), serial=(), hid=(), payment=()',
  'cache-control': 'no-store',
};

/**
 * The file behind a path of the window, or null when the path leaves the folder.
 * Joined relatively: a leading slash would make `path.resolve` forget the root.
 */
export function fileOf(root: string, pathname: string): string | null {
  let decoded: string;
  try {
    decoded = decodeURIComponent(pathname);
  } catch {
    return null;
  }
  if (decoded.includes('\0') || decoded.includes('\\')) return null;
  const file = join(root, `.${decoded.startsWith('/') ? decoded : `/${decoded}`}`);
  const inside = relative(root, file);
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) return null;
  return file;
}

function answer(status: number, body: Uint8Array<ArrayBuffer> | string, type: string): Response {
  return new Response(body, { status, headers: { ...HEADERS, 'content-type': type } });
}

/** Serves the built window from `root`, read-only. A path without an extension is a screen: it gets the document. */
export function createAppHandler(root: string): (request: Request) => Promise<Response> {
  const text = 'text/plain; charset=utf-8';
  return async (request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return answer(405, 'Only GET is served.', text);
    if (!isAppUrl(request.url)) return answer(404, 'Not found.', text);
    const { pathname } = new URL(request.url);
    const file = fileOf(root, extname(pathname) === '' ? '/index.html' : pathname);
    const type = file === null ? undefined : TYPES[extname(file)];
    if (file === null || type === undefined) return answer(404, 'Not found.', text);
    try {
      return answer(200, new Uint8Array(await readFile(file)), type);
    } catch {
      return answer(404, 'Not found.', text);
    }
  };
}

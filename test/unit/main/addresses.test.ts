import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAppUrl, isExternalAllowed } from '../../../electron/main/addresses.ts';
import { readArguments } from '../../../electron/main/arguments.ts';
import { CONTENT_SECURITY_POLICY, createAppHandler, fileOf } from '../../../electron/main/protocol.ts';

describe('our own addresses', () => {
  it('are those of our scheme and host and no look-alike', () => {
    expect(isAppUrl('app://console/models/x?y#z')).toBe(true);
    for (const url of [
      'app://console.evil/',
      'app://evil/console',
      'https://console/',
      'app:console',
      'javascript:app://console/',
      'file:///app://console/',
      '',
    ]) {
      expect(isAppUrl(url), url).toBe(false);
    }
  });
});

describe('addresses handed to the system', () => {
  it('are known HTTPS hosts only', () => {
    expect(isExternalAllowed('https://onnx.ai/onnx/')).toBe(true);
    for (const url of [
      'http://onnx.ai/',
      'https://onnx.ai.evil.com/',
      'https://onnx.ai@evil.com/',
      'https://user:pw@onnx.ai/',
      'https://onnx.ai:444/',
      'file:///etc/passwd',
      'javascript:alert(1)',
      'smb://onnx.ai/x',
      'ms-msdt:/id',
      '',
      'onnx.ai',
    ]) {
      expect(isExternalAllowed(url), url).toBe(false);
    }
  });
});

describe('files behind a path', () => {
  const root = join(sep, 'srv', 'window');

  it('lie in the folder, whatever the path', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '..',
        '.',
        '%2e%2e',
        '%2f',
        '%5c',
        '\\',
        '/',
        '//',
        '%00',
        '%',
        'a',
        'index.html',
        '%252e',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const file = fileOf(root, pieces.join('/'));
        expect(file === null || file === root || file === root + sep || file.startsWith(root + sep)).toBe(
          true,
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('are found where they are', () => {
    expect(fileOf(root, '/assets/a%20b.js')).toBe(join(root, 'assets', 'a b.js'));
  });
});

describe('the handler of our scheme', () => {
  let folder: string;
  let handle: (request: Request) => Promise<Response>;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'sp-window-'));
    mkdirSync(join(folder, 'renderer/assets'), { recursive: true });
    writeFileSync(join(folder, 'renderer/index.html'), '<title>console</title>');
    writeFileSync(join(folder, 'renderer/assets/a.js'), 'let a;');
    writeFileSync(join(folder, 'secret.js'), 'let secret;');
    handle = createAppHandler(join(folder, 'renderer'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('answers files with their type and the policy', async () => {
    const response = await handle(new Request('app://console/assets/a.js'));
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/javascript/);
    expect(response.headers.get('content-security-policy')).toBe(CONTENT_SECURITY_POLICY);
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await response.text()).toBe('let a;');
  });

  it('answers a screen with the document', async () => {
    expect(await (await handle(new Request('app://console/releases/42'))).text()).toContain('console');
  });

  it('refuses other hosts, methods, types, and paths that lead out', async () => {
    const status = async (url: string, init?: RequestInit) => (await handle(new Request(url, init))).status;
    expect(await status('app://other/index.html')).toBe(404);
    expect(await status('app://console/index.html', { method: 'POST' })).toBe(405);
    expect(await status('app://console/%2e%2e/secret.js')).toBe(404);
    expect(await status('app://console/..%2fsecret.js')).toBe(404);
    expect(await status('app://console/assets/none.js')).toBe(404);
    expect(await status('app://console/assets/a.exe')).toBe(404);
  });

  it('has a policy without eval and without another origin', () => {
    expect(CONTENT_SECURITY_POLICY).toContain("default-src 'none'");
    expect(CONTENT_SECURITY_POLICY).toContain("script-src 'self';");
    expect(CONTENT_SECURITY_POLICY).not.toMatch(/unsafe-eval|https?:|\*/);
  });
});

describe('arguments of the window', () => {
  it('name the vault or the sample, and leave those of others alone', () => {
    expect(readArguments(['--sample', '--no-sandbox', '-psn_0_1'], {})).toEqual({
      sample: true,
      vault: null,
    });
    expect(readArguments(['--vault', '/v'], { SALLYPORT_VAULT: '/other' })).toEqual({
      sample: false,
      vault: '/v',
    });
    expect(readArguments([], { SALLYPORT_VAULT: '/other' })).toEqual({ sample: false, vault: '/other' });
  });
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LaunchedConsole, launchConsole } from './support/launch.ts';

interface Bridge {
  call(channel: string, input: unknown): Promise<unknown>;
  on(event: string, listener: (payload: unknown) => void): () => void;
  pathForFile(file: File): Promise<string>;
  readonly platform: string;
}
type Page = typeof globalThis & { readonly sallyport: Bridge; dropped?: Promise<string> };

let desktop: LaunchedConsole;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-window-'));
  desktop = await launchConsole({ env: { SALLYPORT_VAULT: join(folder, 'vault') } });
  console.log(`The window tests run on: ${desktop.runtime}`);
});

afterAll(async () => {
  await desktop?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('the window', () => {
  it('opens with our document, in a secure context', async () => {
    expect(await desktop.page.title()).toContain('Sallyport');
    expect(await desktop.page.evaluate(() => isSecureContext)).toBe(true);
    await desktop.page.waitForFunction(() => document.querySelector('#root')?.childElementCount !== 0);
  });

  it('gives the page no Node and no Electron', async () => {
    const found = await desktop.page.evaluate(() =>
      [
        'require',
        'process',
        'module',
        'exports',
        'Buffer',
        'global',
        'electron',
        'ipcRenderer',
        '__dirname',
      ].filter((name) => name in globalThis),
    );
    expect(found).toEqual([]);
  });

  it('shows the page exactly one bridge of four members, which cannot be replaced', async () => {
    const bridge = await desktop.page.evaluate(() => {
      const { sallyport } = globalThis as unknown as Page;
      let replaced = true;
      try {
        Object.defineProperty(globalThis, 'sallyport', { value: {} });
      } catch {
        replaced = false;
      }
      return { keys: Object.keys(sallyport).sort(), frozen: Object.isFrozen(sallyport), replaced };
    });
    expect(bridge).toEqual({
      keys: ['call', 'on', 'pathForFile', 'platform'],
      frozen: true,
      replaced: false,
    });
  });

  it('leaves no transport of the runtime on the page', async () => {
    // Whatever carries the calls must not be reachable: neither the stand-in's binding nor the driver's.
    const left = await desktop.page.evaluate(() =>
      Object.getOwnPropertyNames(globalThis).filter((name) =>
        /playwright|_binding|ipc|^b[0-9a-f]{32}$/i.test(name),
      ),
    );
    expect(left).toEqual([]);
  });

  it('gives a frame inside the page no bridge', async () => {
    const inside = await desktop.page.evaluate(() => {
      const frame = document.createElement('iframe');
      document.body.append(frame);
      const names = Object.getOwnPropertyNames(frame.contentWindow ?? {}).filter(
        (name) => name === 'sallyport' || /^b[0-9a-f]{32}$/.test(name),
      );
      frame.remove();
      return names;
    });
    expect(inside).toEqual([]);
  });

  it('refuses a channel and an event that the contract does not have', async () => {
    const refused = await desktop.page.evaluate(async () => {
      const { sallyport } = globalThis as unknown as Page;
      const call = await sallyport.call('vault.readKeys', {}).then(
        () => 'answered',
        (error: Error) => error.message,
      );
      let listen = 'listening';
      try {
        sallyport.on('everything', () => undefined);
      } catch (error) {
        listen = (error as Error).message;
      }
      return { call, listen };
    });
    expect(refused.call).toContain("There is no channel 'vault.readKeys'");
    expect(refused.listen).toContain("There is no event 'everything'");
  });

  it('answers a malformed input with a typed error that repeats nothing of it', async () => {
    const answer = await desktop.page.evaluate(() =>
      (globalThis as unknown as Page).sallyport.call('session.signIn', {
        operator: 7,
        passphrase: 'correct horse battery',
      }),
    );
    expect(answer).toMatchObject({ ok: false, error: { code: 'input.invalid' } });
    expect(JSON.stringify(answer)).not.toContain('correct horse');
  });

  it('runs no script that is not a file of ours', async () => {
    const ran = await desktop.page.evaluate(async () => {
      const marks: string[] = [];
      const inline = document.createElement('script');
      inline.textContent = 'globalThis.inlineRan = true';
      document.body.append(inline);
      if ('inlineRan' in globalThis) marks.push('inline');
      const remote = document.createElement('script');
      remote.src = 'https://example.com/x.js';
      const outcome = await new Promise<string>((done) => {
        remote.onload = () => done('loaded');
        remote.onerror = () => done('refused');
        document.body.append(remote);
      });
      if (outcome === 'loaded') marks.push('remote');
      try {
        new Function('return 1')();
        marks.push('eval');
      } catch {
        // The policy has no unsafe-eval.
      }
      return marks;
    });
    // Playwright's own evaluation is exempt from the policy, compiling text inside the page is not.
    expect(ran).toEqual([]);
  });

  it('reaches nobody: no request leaves, no page opens, no navigation leads away', async () => {
    const before = desktop.page.url();
    const outcome = await desktop.page.evaluate(async () => {
      const fetched = await fetch('https://example.com/').then(
        () => 'answered',
        () => 'refused',
      );
      const opened = window.open('https://example.com/') === null ? 'refused' : 'opened';
      location.href = 'https://example.com/';
      return { fetched, opened };
    });
    expect(outcome).toEqual({ fetched: 'refused', opened: 'refused' });
    // A round trip through the main process comes after the refused navigation.
    await desktop.page.evaluate(() => (globalThis as unknown as Page).sallyport.call('models.get', {}));
    expect(desktop.page.url()).toBe(before);
    expect(desktop.page.context().pages()).toHaveLength(1);
  });

  it('serves nothing from outside its folder', async () => {
    const statuses = await desktop.page.evaluate(async () => {
      const paths = [
        '/../main/index.js',
        '/%2e%2e/main/index.js',
        '/..%2fmain%2findex.js',
        '/assets/..%5c..%5cmain%5cindex.js',
        '/package.json',
        `${location.origin}//etc/passwd.json`,
      ];
      return await Promise.all(
        paths.map(async (path) => (await fetch(path).catch(() => ({ status: 0 }))).status),
      );
    });
    expect(new Set(statuses)).toEqual(new Set([404]));
  });

  it('grants the page no device and no notification', async () => {
    const states = await desktop.page.evaluate(async () =>
      Promise.all(
        ['geolocation', 'notifications', 'camera', 'microphone'].map(
          async (name) => (await navigator.permissions.query({ name: name as PermissionName })).state,
        ),
      ),
    );
    expect(states).not.toContain('granted');
  });

  it('tells the path of a dropped file, and none of a made-up one', async () => {
    const file = join(folder, 'dropped model.onnx');
    writeFileSync(file, 'x');
    await desktop.page.evaluate(() => {
      const page = globalThis as unknown as Page;
      const target = Object.assign(document.createElement('div'), { id: 'drop-here' });
      target.style.cssText = 'position:fixed;inset:0;z-index:99999';
      target.addEventListener('dragover', (event) => event.preventDefault());
      page.dropped = new Promise((done) => {
        target.addEventListener('drop', (event) => {
          event.preventDefault();
          event.stopPropagation();
          const dropped = event.dataTransfer?.files[0];
          if (dropped !== undefined) void page.sallyport.pathForFile(dropped).then(done);
        });
      });
      document.body.append(target);
    });
    await desktop.dropFiles('#drop-here', [file]);
    const paths = await desktop.page.evaluate(async () => {
      const page = globalThis as unknown as Page;
      document.querySelector('#drop-here')?.remove();
      return [await page.dropped, await page.sallyport.pathForFile(new File(['x'], 'made-up.onnx'))];
    });
    expect(paths).toEqual([file, '']);
  });

  it('asks for a path by the dialog, and tells when the user changed their mind', async () => {
    const ask = () =>
      desktop.page.evaluate(() =>
        (globalThis as unknown as Page).sallyport.call('dialogs.open', { kind: 'model' }),
      );
    await desktop.answerDialog({ paths: ['/data/m.onnx'] });
    expect(await ask()).toEqual({ ok: true, value: { path: '/data/m.onnx' } });
    await desktop.answerDialog({ paths: [] });
    expect(await ask()).toEqual({ ok: true, value: { path: null } });
  });

  it('survives a reload with its bridge', async () => {
    await desktop.page.reload({ waitUntil: 'load' });
    const answer = await desktop.page.evaluate(() =>
      (globalThis as unknown as Page).sallyport.call('models.get', {}),
    );
    expect(answer).toMatchObject({ ok: false, error: { code: 'input.invalid' } });
  });
});

describe('the life of the window', () => {
  it('ends the program when it is closed', async () => {
    const other = await launchConsole();
    expect(await other.close()).toBe(0);
  });

  it('is one per data folder: a second start raises the first and leaves', async () => {
    const home = mkdtempSync(join(tmpdir(), 'sallyport-home-'));
    const first = await launchConsole({ env: { HOME: home } });
    try {
      await expect(launchConsole({ env: { HOME: home } })).rejects.toThrow(
        /ended with 0|has been closed|Process failed/,
      );
      expect(await first.page.title()).toContain('Sallyport');
    } finally {
      await first.close();
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    }
  });

  it('goes cleanly on SIGTERM', async () => {
    const other = await launchConsole();
    if (other.pid !== undefined) process.kill(other.pid, 'SIGTERM');
    expect(await other.exited).toBe(0);
  });
});

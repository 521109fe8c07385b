import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chromiumFlags, findChromium } from '../../../electron/chromium/browser.ts';
import { InstanceLock, type SecondInstance } from '../../../electron/chromium/instance-lock.ts';
import { parseAccelerator } from '../../../electron/chromium/menu.ts';
import { missingExport, refuseUnknownMembers } from '../../../electron/chromium/missing.ts';
import { toAppUrl, toBrowserUrl } from '../../../electron/chromium/urls.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sp-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('addresses of the application', () => {
  const schemes = new Set(['app']);

  it('go to Chromium and come back', () => {
    for (const url of ['app://console/', 'app://console/models/a%20b?x=1#top']) {
      const seen = toBrowserUrl(url, schemes);
      expect(seen.startsWith('https://console.app.invalid/')).toBe(true);
      expect(toAppUrl(seen, schemes)).toBe(url);
    }
  });

  it('are only those of registered schemes, on the standard port', () => {
    expect(toBrowserUrl('other://console/', schemes)).toBe('other://console/');
    for (const url of [
      'https://console.other.invalid/',
      'https://console.app.invalid:8443/',
      'http://console.app.invalid/',
      'https://app.invalid/',
      'https://console.app.invalid.example.com/',
      'about:blank',
      'not a url',
    ]) {
      expect(toAppUrl(url, schemes)).toBe(url);
    }
  });
});

describe('accelerators', () => {
  it('read as Electron writes them', () => {
    expect(parseAccelerator('CmdOrCtrl+Shift+K', 'linux')).toEqual({
      ctrl: true,
      meta: false,
      alt: false,
      shift: true,
      key: 'k',
    });
    expect(parseAccelerator('CmdOrCtrl+,', 'darwin')).toEqual({
      ctrl: false,
      meta: true,
      alt: false,
      shift: false,
      key: ',',
    });
    expect(parseAccelerator('Ctrl++', 'linux')).toMatchObject({ ctrl: true, key: '+' });
    expect(parseAccelerator('Alt+Esc', 'win32')).toMatchObject({ alt: true, key: 'escape' });
  });
});

describe('what the stand-in lacks', () => {
  it('can be imported and says its name when used', () => {
    const tray = missingExport('Tray') as { new (): unknown; (): unknown; readonly create: unknown };
    expect(() => new tray()).toThrow('electron.Tray is not part of the Chromium stand-in');
    expect(() => tray()).toThrow('electron.Tray');
    expect(() => tray.create).toThrow('electron.Tray.create');
  });

  it('is named too when it is a member of something that exists', async () => {
    class Window {
      #title = 'x';
      title(): string {
        return this.#title;
      }
    }
    refuseUnknownMembers(Window, 'BrowserWindow');
    const window = new Window();
    expect(window.title()).toBe('x');
    expect(() => (window as unknown as { setParentWindow(): void }).setParentWindow()).toThrow(
      'BrowserWindow.setParentWindow is not part',
    );
    // Awaiting an object looks for `then`: that is no use of it.
    expect(await window).toBe(window);
  });
});

describe('the lock of a data folder', () => {
  it('is held by one, who hears of the second', async () => {
    const heard = Promise.withResolvers<SecondInstance>();
    const first = new InstanceLock(folder);
    expect(first.take(heard.resolve)).toBe(true);
    // Another live process: the lock file names our parent, which has its own start time.
    const second = new InstanceLock(folder);
    await second.notify({ argv: ['a', '--sample'], cwd: '/x' });
    expect(await heard.promise).toEqual({ argv: ['a', '--sample'], cwd: '/x' });
    first.release();
  });

  it('is not given away while its owner lives', () => {
    // Process 1 lives for as long as the system does; without /proc its start time reads as empty.
    const stat = process.platform === 'linux' ? startOf(1) : '';
    writeFileSync(join(folder, 'instance.lock'), `1 ${stat}`);
    expect(new InstanceLock(folder).take(() => undefined)).toBe(false);
  });

  it('is taken over from a process that is gone, or whose number was given to another', () => {
    for (const left of ['999999999 1', ...(process.platform === 'linux' ? ['1 12345678901'] : [])]) {
      writeFileSync(join(folder, 'instance.lock'), left);
      const lock = new InstanceLock(folder);
      expect(lock.take(() => undefined)).toBe(true);
      lock.release();
    }
  });
});

describe('the browser', () => {
  it('is the one named in the environment, else the first on the path', () => {
    expect(findChromium({ SALLYPORT_CHROMIUM: '/x/y' }, 'linux')).toBe('/x/y');
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    expect(findChromium({ PATH: bin }, 'linux')).toBeUndefined();
    writeFileSync(join(bin, 'google-chrome'), '', { mode: 0o755 });
    expect(findChromium({ PATH: bin }, 'linux')).toBe(join(bin, 'google-chrome'));
    writeFileSync(join(bin, 'chromium'), '', { mode: 0o755 });
    expect(findChromium({ PATH: bin }, 'linux')).toBe(join(bin, 'chromium'));
  });

  it('is told to look up no name and to open a port under the test hook only', () => {
    const settings = {
      executable: 'x',
      profile: 'y',
      headless: true,
      width: 1,
      height: 1,
      title: 't',
      background: '#000000',
      debugPort: false,
    };
    expect(chromiumFlags(settings)).toContain('--host-resolver-rules=MAP * ~NOTFOUND');
    expect(chromiumFlags(settings).join(' ')).not.toContain('remote-debugging');
    expect(chromiumFlags({ ...settings, debugPort: true })).toContain('--remote-debugging-port=0');
  });
});

function startOf(pid: number): string {
  const { readFileSync } = process.getBuiltinModule('node:fs');
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

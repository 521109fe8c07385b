import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { FuseV1Options } from '@electron/fuses';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { FUSES, removeForeignFiles } from '../../resources/setup/after-pack.mjs';
import { isForeignFile } from '../../resources/setup/native-files.mjs';

const ROOT = resolve(import.meta.dirname, '../..');

interface Configuration {
  readonly files: readonly string[];
  readonly asar: boolean;
  readonly asarUnpack: readonly string[];
  readonly afterPack: string;
  readonly npmRebuild: boolean;
  readonly linux: { readonly target: readonly string[]; readonly icon: string };
  readonly win: { readonly target: readonly string[]; readonly icon: string };
  readonly mac: {
    readonly target: readonly { readonly target: string }[];
    readonly icon: string;
    readonly entitlements: string;
    readonly hardenedRuntime: boolean;
  };
}

const configuration = parse(readFileSync(join(ROOT, 'electron-builder.yml'), 'utf8')) as Configuration;
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly main: string;
  readonly dependencies: Readonly<Record<string, string>>;
};

/** Files below `folder` that hold machine code, by their path from the project. */
function binaries(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(node|dll|dylib|so(\.\d+)*)$/.test(entry.name))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).replaceAll('\\', '/'));
}

/** Packages of the installer that carry machine code. */
const native = ['better-sqlite3', 'onnxruntime-node', 'sodium-native', 'keytar', '@duckdb'].map((name) =>
  join(ROOT, 'node_modules', name),
);

describe('the package configuration', () => {
  it('has the targets of each platform', () => {
    expect(configuration.linux.target).toEqual(['AppImage', 'deb']);
    expect(configuration.win.target).toEqual(['nsis']);
    expect(configuration.mac.target.map(({ target }) => target)).toEqual(['dmg']);
    expect(configuration.mac.hardenedRuntime).toBe(true);
  });

  it('names files that exist', () => {
    for (const path of [
      configuration.afterPack,
      configuration.linux.icon,
      configuration.win.icon,
      configuration.mac.icon,
      configuration.mac.entitlements,
    ]) {
      expect(() => readFileSync(join(ROOT, path)), path).not.toThrow();
    }
    const icon = readFileSync(join(ROOT, configuration.linux.icon));
    // The packager makes .ico and .icns from one picture of at least 512 pixels.
    expect(icon.readUInt32BE(16)).toBeGreaterThanOrEqual(512);
  });

  it('takes the built bundles and neither the stand-in nor sources', () => {
    expect(configuration.files).toContain('out/main/**/*');
    expect(configuration.files).toContain('out/preload/**/*');
    expect(configuration.files).toContain('out/renderer/**/*');
    expect(configuration.files).toContain('!out/main/chromium.js');
    const included = configuration.files.filter((pattern) => !pattern.startsWith('!'));
    expect(included.some((pattern) => /^(electron|shared|serving|test|\*\*)/.test(pattern))).toBe(false);
    expect(manifest.main).toBe('out/main/index.js');
  });

  it('ships neither the browser driver nor Electron as a dependency', () => {
    expect(Object.keys(manifest.dependencies)).not.toEqual(expect.arrayContaining(['playwright-core']));
    expect(Object.keys(manifest.dependencies)).not.toEqual(expect.arrayContaining(['electron']));
  });

  it('unpacks every native module and compiles none', () => {
    expect(configuration.asar).toBe(true);
    expect(configuration.npmRebuild).toBe(false);
    const unpacked = configuration.asarUnpack.map((pattern) => pattern.replace(/\/\*\*$/, ''));
    for (const file of native.flatMap(binaries))
      expect(
        unpacked.some((folder) => file.startsWith(`${folder}/`)),
        file,
      ).toBe(true);
  });
});

describe('the fuses', () => {
  it('are all set, as the threat model says', () => {
    expect(FUSES.strictlyRequireAllFuses).toBe(true);
    const names = Object.values(FuseV1Options).filter(
      (value): value is FuseV1Options => typeof value === 'number',
    );
    const set = Object.fromEntries(names.map((fuse) => [FuseV1Options[fuse], FUSES[fuse]]));
    expect(set).toEqual({
      RunAsNode: false,
      EnableCookieEncryption: true,
      EnableNodeOptionsEnvironmentVariable: false,
      EnableNodeCliInspectArguments: false,
      EnableEmbeddedAsarIntegrityValidation: true,
      OnlyLoadAppFromAsar: true,
      LoadBrowserProcessSpecificV8Snapshot: false,
      GrantFileProtocolExtraPrivileges: false,
      WasmTrapHandlers: true,
    });
  });
});

describe('binaries of other platforms', () => {
  it.each([
    ['linux', 'x64'],
    ['linux', 'arm64'],
    ['win32', 'x64'],
    ['darwin', 'arm64'],
  ])('for %s-%s: only its own remain of what is installed here', (platform, arch) => {
    const kept = native.flatMap(binaries).filter((file) => !isForeignFile(file, platform, arch));
    const other = ['linux', 'win32', 'darwin', 'android', 'ios', 'linuxmusl'].filter(
      (name) => name !== platform,
    );
    for (const file of kept) {
      expect(new RegExp(`[/-](${other.join('|')})[-/]`).test(file), file).toBe(false);
      if (arch === 'x64') expect(/[/-]arm64?[./]/.test(file), file).toBe(false);
    }
    // Something of each package that carries all platforms is left.
    for (const name of ['better-sqlite3', 'onnxruntime-node', 'sodium-native']) {
      expect(
        kept.filter((file) => file.includes(`/${name}/`)),
        name,
      ).not.toEqual([]);
    }
  });

  it('are told from names that merely look like them', () => {
    expect(isForeignFile('keytar/build/Release/keytar.node', 'linux', 'x64')).toBe(false);
    expect(isForeignFile('keytar/build/Release/obj.target/keytar.node', 'linux', 'x64')).toBe(true);
    expect(isForeignFile('onnxruntime-node/dist/backend.js', 'linux', 'x64')).toBe(false);
    expect(isForeignFile('onnxruntime-node/bin/napi-v6/linux', 'linux', 'x64')).toBe(false);
    expect(isForeignFile('onnxruntime-node/bin/napi-v6/win32', 'linux', 'x64')).toBe(true);
    expect(isForeignFile('some-package/darwin/x64/readme.md', 'linux', 'x64')).toBe(false);
  });

  describe('on the disk', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'sp-pack-'));
    });
    afterEach(() => rmSync(folder, { recursive: true, force: true }));

    it('are removed, and nothing else is', () => {
      const keep = [
        'node_modules/onnxruntime-node/bin/napi-v6/linux/x64/a.node',
        'node_modules/onnxruntime-node/package.json',
        'node_modules/better-sqlite3/prebuilds/linux-x64.node',
      ];
      const drop = [
        'node_modules/onnxruntime-node/bin/napi-v6/win32/x64/a.node',
        'node_modules/onnxruntime-node/bin/napi-v6/linux/arm64/a.node',
        'node_modules/sodium-native/prebuilds/ios-arm64-simulator/a.node',
        'node_modules/better-sqlite3/prebuilds/linuxmusl-x64.node',
        'node_modules/better-sqlite3/deps/sqlite3.c',
      ];
      for (const path of [...keep, ...drop]) {
        mkdirSync(join(folder, dirname(path)), { recursive: true });
        writeFileSync(join(folder, path), '');
      }
      removeForeignFiles(folder, 'linux', 'x64');
      const left = readdirSync(folder, { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
      expect(left.sort()).toEqual(keep.sort());
    });

    it('are nothing to worry about where nothing was unpacked', () => {
      expect(removeForeignFiles(join(folder, 'none'), 'linux', 'x64')).toEqual([]);
    });
  });
});

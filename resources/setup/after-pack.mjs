/** Runs in electron-builder between packing and signing: removes foreign binaries, then turns the fuses. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { FuseV1Options, FuseVersion, flipFuses } from '@electron/fuses';
import { isForeignFile } from './native-files.mjs';

/** electron-builder's numbers for architectures. */
const ARCHES = { 0: 'ia32', 1: 'x64', 2: 'arm', 3: 'arm64', 4: 'universal' };

/** Electron's switches, fixed in the executable: no way to run it as plain Node or to attach a debugger. */
export const FUSES = {
  version: FuseVersion.V1,
  strictlyRequireAllFuses: true,
  [FuseV1Options.RunAsNode]: false,
  [FuseV1Options.EnableCookieEncryption]: true,
  [FuseV1Options.EnableNodeOptionsEnvironmentVariable]: false,
  [FuseV1Options.EnableNodeCliInspectArguments]: false,
  [FuseV1Options.EnableEmbeddedAsarIntegrityValidation]: true,
  [FuseV1Options.OnlyLoadAppFromAsar]: true,
  [FuseV1Options.LoadBrowserProcessSpecificV8Snapshot]: false,
  [FuseV1Options.GrantFileProtocolExtraPrivileges]: false,
  [FuseV1Options.WasmTrapHandlers]: true,
};

/** Removes what `isForeignFile` names below `folder`; answers the removed paths. */
export function removeForeignFiles(folder, platform, arch) {
  const removed = [];
  const visit = (path) => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const full = join(path, entry.name);
      const name = relative(folder, full);
      if (isForeignFile(name, platform, arch)) {
        rmSync(full, { recursive: true, force: true });
        removed.push(name.replaceAll('\\', '/'));
      } else if (entry.isDirectory()) visit(full);
    }
  };
  if (existsSync(folder)) visit(folder);
  return removed;
}

function executableOf({ appOutDir, electronPlatformName, packager }) {
  const name = packager.appInfo.productFilename;
  if (electronPlatformName === 'darwin' || electronPlatformName === 'mas')
    return join(appOutDir, `${name}.app`);
  return join(appOutDir, electronPlatformName === 'win32' ? `${name}.exe` : packager.executableName);
}

export default async function afterPack(context) {
  const { appOutDir, electronPlatformName: platform, packager, arch } = context;
  const mac = platform === 'darwin' || platform === 'mas';
  const resources = mac
    ? join(appOutDir, `${packager.appInfo.productFilename}.app`, 'Contents/Resources')
    : join(appOutDir, 'resources');
  const removed = removeForeignFiles(
    join(resources, 'app.asar.unpacked'),
    mac ? 'darwin' : platform,
    ARCHES[arch],
  );
  console.log(`  • removed ${removed.length} files of other platforms`);
  await flipFuses(executableOf(context), {
    ...FUSES,
    resetAdHocDarwinSignature: mac && ARCHES[arch] === 'arm64',
  });
}

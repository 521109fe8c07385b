/** Which files of native packages belong to another platform. Pure: the packager and its test call it. */

const PLATFORM = '(android|ios|darwin|linux|linuxmusl|win32|freebsd)';
const ARCH = '(x64|arm64|arm|ia32|universal)';

/** Where each native package keeps a build per platform; groups: platform, architecture. */
const PLACES = [
  // onnxruntime-node/bin/napi-v6/linux/x64/…
  new RegExp(`/onnxruntime-node/bin/napi-v\\d+/${PLATFORM}(?:/${ARCH})?(?:/|$)`),
  // sodium-native/prebuilds/linux-x64/…, ios-arm64-simulator
  new RegExp(`/prebuilds/${PLATFORM}-${ARCH}(?:-simulator)?(?:/|$)`),
  // better-sqlite3/prebuilds/linux-x64.node
  new RegExp(`/prebuilds/${PLATFORM}-${ARCH}\\.node$`),
  // @duckdb/node-bindings-linux-x64/…
  new RegExp(`/@duckdb/node-bindings-${PLATFORM}-${ARCH}(?:/|$)`),
];

/** What only building needs: sources and object files of native packages. */
const BUILD_ONLY = [
  /\/build\/Release\/obj(\.target)?(\/|$)/,
  /\/build\/(Makefile|.*\.mk|config\.gypi)$/,
  /\/better-sqlite3\/(deps|src)(\/|$)/,
  /\/keytar\/src(\/|$)/,
];

/**
 * True for a path inside a package that the installer of `platform` and `arch` has no use for.
 * `platform` as `process.platform`, `arch` as `process.arch`; paths with forward slashes.
 */
export function isForeignFile(path, platform, arch) {
  const text = `/${path.replaceAll('\\', '/')}`;
  if (BUILD_ONLY.some((pattern) => pattern.test(text))) return true;
  for (const pattern of PLACES) {
    const match = pattern.exec(text);
    if (match === null) continue;
    if (text.includes('-simulator')) return true;
    if (match[1] !== platform) return true;
    // A folder of a platform without an architecture is looked into, not dropped.
    return match[2] !== undefined && match[2] !== arch && match[2] !== 'universal';
  }
  return false;
}

/**
 * Brings a fresh checkout to the point where it can start: system packages, npm packages, build. Plain Node 20 or
 * newer with no dependencies, because it runs before there are any. Does nothing when nothing changed.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const MODULES = join(ROOT, 'node_modules');
const INSTALL_STAMP = join(MODULES, '.sallyport-setup.json');
const BUILD_STAMP = join(ROOT, 'out/.build.json');
const BUILD_INPUTS = [
  'electron',
  'serving',
  'shared',
  'renderer',
  'electron.vite.config.ts',
  'package.json',
  'package-lock.json',
  'tsconfig.base.json',
];
const BUILD_OUTPUTS = ['out/main/index.js', 'out/preload/index.cjs', 'out/renderer/index.html'];

/** Debian packages by what they are for. */
const TO_COMPILE = ['libsecret-1-dev', 'pkg-config', 'g++', 'make', 'python3'];
const TO_SHOW = ['chromium', 'fonts-dejavu-core', 'fonts-liberation'];
const TO_TEST = ['age', 'dbus', 'gnome-keyring', 'nginx', 'prometheus'];
const TO_BENCH = ['wrk'];
/** Those of them that Debian starts as services once they are installed: tests start their own, on loopback. */
const SERVICES = ['nginx', 'prometheus'];
const POLICY = '/usr/sbin/policy-rc.d';

const forTests = process.argv.includes('--for-tests') || process.env.npm_lifecycle_event === 'pretest';
const forBench = process.env.npm_lifecycle_event === 'prebench';

function fail(message) {
  console.error(`\nSet-up stopped: ${message}`);
  process.exit(1);
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return {};
  }
}

const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const lastLines = (text, count) =>
  String(text ?? '')
    .trim()
    .split('\n')
    .slice(-count)
    .join('\n');

/** One line per step: what it is, then how it went and how long it took. */
function step(name, run) {
  process.stdout.write(`  ${name} … `);
  const start = Date.now();
  const outcome = run();
  console.log(`${outcome} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
}

function execute(command, args, options = {}) {
  // npm is a shell script on Windows.
  const shell = process.platform === 'win32' && !command.endsWith('.exe');
  return spawnSync(command, args, {
    cwd: ROOT,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    shell,
    ...options,
  });
}

function isInstalled(name) {
  const { status, stdout } = execute('dpkg', ['-s', name]);
  return status === 0 && /^Status: .* installed$/m.test(stdout);
}

function hasCommand(name) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}

/**
 * Installs without starting a service: while it lasts, Debian's own switch (policy-rc.d, exit 101 = not allowed) says
 * no, unless the machine has one already. Where systemd runs, what came new is not to be started with the next boot.
 */
function withoutServices(missing, install) {
  const services = missing.filter((name) => SERVICES.includes(name));
  if (services.length === 0) return install();
  const ours = !existsSync(POLICY);
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return install();
  } finally {
    if (ours) rmSync(POLICY, { force: true });
    if (existsSync('/run/systemd/system')) execute('systemctl', ['disable', '--now', ...services]);
  }
}

/** System packages that are missing here; only Debian and its relatives can be asked. */
function systemPackages(wanted) {
  if (process.platform !== 'linux') return;
  const debian = hasCommand('dpkg') && hasCommand('apt-get');
  if (!debian) {
    if (!['chromium', 'chromium-browser', 'google-chrome'].some(hasCommand)) {
      console.log(
        '  This is not Debian: please install Chromium, the headers of libsecret and a C++ compiler yourself.',
      );
    }
    return;
  }
  const missing = wanted.filter((name) => !isInstalled(name));
  if (missing.length === 0) return;
  const line = `apt-get install -y --no-install-recommends ${missing.join(' ')}`;
  if (process.getuid() !== 0) {
    console.log(`  System packages are missing. Please run once:\n    sudo ${line}`);
    return;
  }
  step(`system packages (${missing.join(', ')})`, () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const install = () =>
      execute('apt-get', ['install', '-y', '--no-install-recommends', ...missing], { env });
    let result = withoutServices(missing, install);
    if (result.status !== 0) {
      // A fresh image has no package lists yet.
      execute('apt-get', ['update'], { env });
      result = withoutServices(missing, install);
    }
    return result.status === 0
      ? 'installed'
      : `not installed; set-up goes on. Later, run: ${line}\n${lastLines(result.stderr, 3)}\n `;
  });
}

/** Where Node's own headers are, so that compiling keytar downloads none. */
function headersPrefix() {
  const executables = [
    process.env.npm_node_execpath,
    process.execPath,
    '/usr/bin/node',
    '/usr/local/bin/node',
  ];
  for (const executable of executables) {
    if (executable === undefined || !existsSync(executable)) continue;
    const prefix = dirname(dirname(realpathSync(executable)));
    // What lies in node_modules is about to be replaced.
    if (!prefix.startsWith(MODULES) && existsSync(join(prefix, 'include/node/node_api.h'))) return prefix;
  }
  return undefined;
}

function npmPackages(lock) {
  step('npm packages', () => {
    const prefix = headersPrefix();
    const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.startsWith(MODULES));
    // A script of npm's runs inside npm: its own settings would leak into this one.
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^npm_(lifecycle|package|command)/.test(name),
    );
    const env = {
      ...Object.fromEntries(inherited),
      PATH: path.join(delimiter),
      // CPU binaries are inside the package; the install script would fetch those for graphics cards.
      ONNXRUNTIME_NODE_INSTALL: 'skip',
      PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1',
      ELECTRON_SKIP_BINARY_DOWNLOAD: '1',
      ...(prefix === undefined ? {} : { npm_config_nodedir: prefix }),
    };
    const script = process.env.npm_execpath;
    const usable = script?.endsWith('.js') === true && existsSync(script) && !script.startsWith(MODULES);
    const node = process.env.npm_node_execpath;
    const outside = node !== undefined && existsSync(node) && !realpathSync(node).startsWith(MODULES);
    const result =
      usable && outside
        ? execute(node, [script, 'ci', '--include=dev'], { env })
        : execute('npm', ['ci', '--include=dev'], { env });
    if (result.status !== 0) {
      console.log('failed');
      // What went wrong is said first; npm's own help text follows it.
      const lines = `${result.stdout ?? ''}\n${result.stderr ?? result.error ?? ''}`.split('\n');
      const errors = lines.filter((line) => line.startsWith('npm error'));
      console.error((errors.length > 0 ? errors : lines).slice(0, 25).join('\n'));
      fail(
        'npm ci did not succeed. Check the connection to the package registry, then run the command again.',
      );
    }
    writeFileSync(INSTALL_STAMP, JSON.stringify({ lock }));
    return 'installed';
  });
}

/** Names, sizes and times of everything the build reads: cheap, and different whenever a file is. */
function fingerprint() {
  const hash = createHash('sha256');
  const visit = (path) => {
    const found = statSync(join(ROOT, path), { throwIfNoEntry: false });
    if (found === undefined) return;
    if (found.isDirectory()) {
      for (const name of readdirSync(join(ROOT, path)).sort()) visit(`${path}/${name}`);
    } else hash.update(`${path}\0${found.size}\0${found.mtimeMs}\n`);
  };
  for (const path of BUILD_INPUTS) visit(path);
  return hash.digest('hex');
}

function build(inputs) {
  step('build', () => {
    const node = join(MODULES, '.bin', process.platform === 'win32' ? 'node.exe' : 'node');
    const tool = join(MODULES, 'electron-vite/bin/electron-vite.js');
    const result = execute(existsSync(node) ? node : process.execPath, [tool, 'build']);
    if (result.status !== 0) {
      console.log('failed');
      console.error(lastLines(`${result.stdout}\n${result.stderr ?? result.error ?? ''}`, 40));
      fail('the build did not succeed. The lines above say where.');
    }
    mkdirSync(dirname(BUILD_STAMP), { recursive: true });
    writeFileSync(BUILD_STAMP, JSON.stringify({ inputs }));
    return 'done';
  });
}

const major = Number(process.versions.node.split('.')[0]);
if (major < 20)
  fail(`Node ${process.versions.node} is too old. Install Node 20 or newer and run the command again.`);

const lock = sha256(readFileSync(join(ROOT, 'package-lock.json')));
const installed = readJson(INSTALL_STAMP);
// `profile` widens once: tests need more of the system than the window does.
const profile = forTests || installed.profile === 'tests' ? 'tests' : 'window';
const packages = [
  ...TO_COMPILE,
  ...TO_SHOW,
  ...(profile === 'tests' ? TO_TEST : []),
  ...(forBench || installed.packages?.includes(TO_BENCH[0]) ? TO_BENCH : []),
];
const stale = installed.lock !== lock;
const widened = JSON.stringify(installed.packages) !== JSON.stringify(packages);
if (stale || widened) {
  console.log(`Setting up Sallyport (once${existsSync(MODULES) ? ' per change' : ''}).`);
  systemPackages(packages);
  if (stale) npmPackages(lock);
  writeFileSync(INSTALL_STAMP, JSON.stringify({ lock, profile, packages }));
}
const inputs = fingerprint();
if (readJson(BUILD_STAMP).inputs !== inputs || !BUILD_OUTPUTS.every((path) => existsSync(join(ROOT, path))))
  build(inputs);

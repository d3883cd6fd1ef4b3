// Runs one command of the workspace on any machine that has Node 20 and npm:
//
//   node scripts/bootstrap.mjs [--build] <command> [arguments...]
//
// 1. Finds the Node and pnpm this workspace needs. What the machine lacks is installed from npm, once, into .toolchain/.
// 2. Installs the dependencies when the lockfile or a manifest changed since the last time.
// 3. With --build, builds every package; turbo skips what did not change.
// 4. Runs the command with these tools first on PATH, and exits as it exits.
//
// Plain JavaScript without dependencies: it runs before anything is installed.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { findProgram } from './find-program.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const toolchain = join(root, '.toolchain');
const stampFile = join(root, 'node_modules', '.bootstrap-stamp');

/** The Node installed when the machine's own is too old: the version the project is developed on. */
const DEVELOPMENT_NODE = readFileSync(join(root, '.nvmrc'), 'utf8').trim();

const { engines, packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const pnpmVersion = packageManager.replace('pnpm@', '');

const [, , ...argv] = process.argv;
const build = argv[0] === '--build';
const [command, ...commandArguments] = build ? argv.slice(1) : argv;
if (command === undefined) {
  stop('Usage: node scripts/bootstrap.mjs [--build] <command> [arguments...]');
}

const path = toolPath();
// Someone who runs `pnpm test` has the tools and decides when to install.
if (!isRunByPnpm()) {
  installDependencies();
}
if (build) {
  quietly('Building what changed', 'turbo', ['run', 'build', '--output-logs=errors-only']);
}
runCommand();

/** PATH with the workspace's programs, and the fitting Node and pnpm, in front. */
function toolPath() {
  const missing = [];
  if (!isNodeFit(process.versions.node) && !isNodeFit(installedVersion('node'))) {
    missing.push(`node@${DEVELOPMENT_NODE}`);
  }
  if (!isRunByPnpm() && installedVersion('pnpm') !== pnpmVersion && machinePnpmVersion() !== pnpmVersion) {
    missing.push(`pnpm@${pnpmVersion}`);
  }
  if (missing.length > 0) {
    installToolchain(missing);
  }
  return [
    join(root, 'node_modules', '.bin'),
    // A fitting Node of the machine goes first: .toolchain may hold one from before the machine's was updated.
    ...(isNodeFit(process.versions.node) ? [dirname(process.execPath)] : []),
    // Where node.exe is; the folder below has no program for it on Windows.
    join(toolchain, 'node_modules', 'node', 'bin'),
    join(toolchain, 'node_modules', '.bin'),
    process.env.PATH,
  ].join(delimiter);
}

function isNodeFit(version) {
  const [wantedMajor, wantedMinor] = engines.node.replace('>=', '').split('.').map(Number);
  const [major, minor] = (version ?? '0.0').split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** The version of a tool in .toolchain, or undefined. */
function installedVersion(name) {
  const manifest = join(toolchain, 'node_modules', name, 'package.json');
  return existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')).version : undefined;
}

function machinePnpmVersion() {
  // Asked outside the workspace: inside, pnpm and corepack answer with (and download) the version pinned here.
  const commandLine = findProgram('pnpm', { folders: process.env.PATH.split(delimiter) });
  if (commandLine === undefined) {
    return undefined;
  }
  const [program, ...first] = commandLine;
  const { stdout } = spawnSync(program, [...first, '--version'], {
    cwd: tmpdir(),
    encoding: 'utf8',
    env: { ...process.env, COREPACK_ENABLE_DOWNLOAD_PROMPT: '0', COREPACK_ENABLE_NETWORK: '0' },
  });
  return stdout?.trim();
}

function isRunByPnpm() {
  return process.env.npm_config_user_agent?.startsWith(`pnpm/${pnpmVersion} `) ?? false;
}

function installToolchain(tools) {
  // Installed aside and renamed, so that an interrupted download is never taken for a working tool.
  const partial = `${toolchain}-partial`;
  rmSync(partial, { recursive: true, force: true });
  quietly(
    `Installing ${tools.join(' and ')} into .toolchain (once)`,
    'npm',
    // Both are needed as they come: Node's npm package fetches its binary in an install script.
    ['install', '--prefix', partial, '--no-save', '--no-package-lock', '--ignore-scripts=false', ...tools],
    { ...process.env, PATH: process.env.PATH },
  );
  rmSync(toolchain, { recursive: true, force: true });
  renameSync(partial, toolchain);
}

function installDependencies() {
  const stamp = dependencyStamp();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) {
    return;
  }
  // CI=true: pnpm replaces an outdated node_modules without asking.
  quietly('Installing dependencies', 'pnpm', ['install', '--frozen-lockfile', '--prod=false'], {
    ...process.env,
    CI: 'true',
    PATH: path,
  });
  // Inside node_modules: when that is deleted, so is the stamp.
  writeFileSync(stampFile, stamp);
}

/** Changes when `pnpm install` would have something to do. */
function dependencyStamp() {
  const workspace = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8');
  const folders = [...workspace.matchAll(/^ +- (\S+)\/\*$/gm)].map(([, folder]) => folder);
  const manifests = folders.flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => join(folder, name, 'package.json')),
  );
  const hash = createHash('sha256').update(pnpmVersion);
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...manifests]) {
    if (existsSync(join(root, file))) {
      hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
    }
  }
  return hash.digest('hex');
}

/** Runs one step of the set-up: one line says what it does; its output is shown only if it fails. */
function quietly(what, program, programArguments, env = commandEnvironment()) {
  process.stderr.write(`${what}...\n`);
  const [file, ...first] = commandLineOf(program, env);
  const result = spawnSync(file, [...first, ...programArguments], {
    cwd: root,
    encoding: 'utf8',
    env,
    maxBuffer: 1 << 28,
  });
  if (result.status !== 0) {
    stop(`${result.stdout ?? ''}${result.stderr ?? ''}${what} failed${explain(result)}.`, result.status ?? 1);
  }
}

function explain({ error, signal }) {
  if (error !== undefined) {
    return `: ${error.message}`;
  }
  return signal ? `: ended by ${signal}` : '';
}

/** The environment of the command: without the npm_ variables a package manager adds for its own scripts. */
function commandEnvironment() {
  // Windows calls it Path, and takes either of two.
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('npm_') && name.toUpperCase() !== 'PATH',
  );
  return { ...Object.fromEntries(inherited), PATH: path, TURBO_TELEMETRY_DISABLED: '1' };
}

function commandLineOf(program, { PATH }) {
  const commandLine = findProgram(program, { folders: PATH.split(delimiter) });
  return commandLine ?? stop(`Cannot run ${program}: it is not on PATH`);
}

function runCommand() {
  const env = commandEnvironment();
  const [file, ...first] = commandLineOf(command, env);
  const child = spawn(file, [...first, ...commandArguments], { cwd: root, stdio: 'inherit', env });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK']) {
    process.on(signal, () => {
      // Windows sends each of them to the command too, and has no way to pass one on.
      if (process.platform === 'win32') {
        return;
      }
      // A terminal sends Ctrl-C to the command too, and twice means "at once" to some programs.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) {
        child.kill(signal);
      }
    });
  }
  child.on('error', (error) => stop(`Cannot run ${command}: ${error.message}`));
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? code : 128 + constants.signals[signal];
  });
}

function stop(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

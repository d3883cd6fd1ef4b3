import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, win32 } from 'node:path';
import { promisify, parseEnv } from 'node:util';

import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const run = promisify(execFile);

/** Calls a function of a script: they are JavaScript, for a machine on which nothing is installed. */
async function callScript(file: string, source: string): Promise<unknown> {
  const url = new URL(`../scripts/${file}`, import.meta.url).href;
  const program = `import * as script from ${JSON.stringify(url)}; import { win32 } from 'node:path';
    process.stdout.write(JSON.stringify(${source}) ?? 'null');`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program]);
  return JSON.parse(stdout);
}

describe('the scripts of package.json', () => {
  it('need no POSIX shell', async () => {
    const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const posix = Object.entries(scripts).filter(([, line]) =>
      /^exec |\$|'|;|^\w+=|\brm\b|\bcp\b/u.test(line),
    );
    expect(posix).toEqual([]);
  });
});

describe('findProgram', () => {
  const clone = 'C:\\my clone';
  const present = {
    'C:\\node\\node.exe': '',
    'C:\\node\\node_modules\\npm\\package.json': '{"bin":{"npm":"bin/npm-cli.js"}}',
    [`${clone}\\node_modules\\vitest\\package.json`]: '{"bin":{"vitest":"./vitest.mjs"}}',
    [`${clone}\\.toolchain\\node_modules\\pnpm\\package.json`]: '{"bin":{"pnpm":"bin/pnpm.mjs"}}',
  };
  const folders = [
    win32.join(clone, 'node_modules', '.bin'),
    win32.join(clone, '.toolchain', 'node_modules', '.bin'),
    'C:\\node',
  ];
  const find = (name: string, platform = 'win32') =>
    callScript(
      'find-program.mjs',
      `script.findProgram(${JSON.stringify(name)}, {
        platform: '${platform}', folders: ${JSON.stringify(folders)},
        files: { exists: (file) => file in present, read: (file) => present[file], join: win32.join } })`.replaceAll(
        'present',
        `(${JSON.stringify(present)})`,
      ),
    );

  it.each([
    ['node', ['C:\\node\\node.exe']],
    ['npm', ['C:\\node\\node.exe', 'C:\\node\\node_modules\\npm\\bin\\npm-cli.js']],
    ['vitest', ['C:\\node\\node.exe', 'C:\\my clone\\node_modules\\vitest\\vitest.mjs']],
    ['pnpm', ['C:\\node\\node.exe', 'C:\\my clone\\.toolchain\\node_modules\\pnpm\\bin\\pnpm.mjs']],
    ['turbo', null],
  ])('runs %s on Windows without a shell', async (name, commandLine) => {
    expect(await find(name)).toEqual(commandLine);
  });

  it('leaves the search to the system elsewhere', async () => {
    expect(await find('pnpm', 'darwin')).toEqual(['pnpm']);
  });
});

it('an environment file keeps paths of Windows as they are', async () => {
  const settings = { STATE_DIRECTORY: 'C:\\new\\table', POLICY_FILE: "C:\\Users\\O'Brien\\policy.yaml" };
  const text = await callScript(
    'environment-file.mjs',
    `script.environmentFile(${JSON.stringify(settings)})`,
  );
  expect(parseEnv(String(text))).toEqual(settings);
});

it('a printed client configuration is JSON that holds the paths of Windows', async () => {
  const printed = await callScript(
    'demo-instructions.mjs',
    String.raw`script.instructions({ endpoint: 'http://127.0.0.1:3000/mcp', port: '3000', node: 'C:\\node\\node.exe',
      stdioServer: 'C:\\mcp\\main.js', stdioSettings: 'C:\\mcp\\new.env' })`,
  );
  const json = /^ {3}\{[^]*?^ {3}\}$/gmu;
  const [, stdio = ''] = String(printed).match(json) ?? [];
  expect(JSON.parse(stdio)).toEqual({
    mcpServers: {
      deployments: {
        command: 'C:\\node\\node.exe',
        args: ['--env-file=C:\\mcp\\new.env', 'C:\\mcp\\main.js'],
      },
    },
  });
});

describe('--replicas', () => {
  it.each([
    [[], null],
    [['--watch'], null],
    [['--replicas', '3'], 3],
    [['--watch', '--replicas=2'], 2],
  ])('of %j asks for %s servers', async (argv, count) => {
    expect(await callScript('replicas.mjs', `script.replicasOf(${JSON.stringify(argv)})`)).toBe(count);
  });

  it.each([['1'], ['0'], ['many'], ['10'], ['']])('of "%s" is refused', async (text) => {
    const argv = JSON.stringify(['--replicas', text]);
    await expect(callScript('replicas.mjs', `script.replicasOf(${argv})`)).rejects.toThrow(
      'must be a number from 2 to 9',
    );
  });
});

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';

import { expect, it, onTestFinished } from 'vitest';

import { runCli } from '../src/run-cli.ts';
import { temporaryFolder, texts } from './run-tools.ts';

it(
  'calls what is typed, restarts when a file changes, and survives a server that does not start',
  { timeout: 120_000 },
  async () => {
    const directory = await temporaryFolder();
    // What it offers first, it reads from a file; the folder is watched.
    const [, node = '', condition = '', program = ''] = texts('first');
    const offered = join(directory, 'offered.mjs');
    const say = (what: string) =>
      writeFile(
        offered,
        `process.argv[2] = ${JSON.stringify(what)}; await import(${JSON.stringify(program)});\n`,
      );
    await say('first');

    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const interrupted = new AbortController();
    let out = '';
    stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    const ended = runCli(['dev', '--command', node, condition, offered], {
      stdin,
      stdout,
      stderr: new PassThrough(),
      signal: interrupted.signal,
      version: '1.0.0',
      directory,
      home: directory,
      platform: process.platform,
      node,
    });
    onTestFinished(() => interrupted.abort());
    const until = (text: string | RegExp) => expect.poll(() => out, { timeout: 30_000 }).toMatch(text);

    await until(/started in \d+ ms: count_words\n/u);
    stdin.write('count_words {"text":"a b"}\n');
    await until('The text has 2 words.');
    stdin.write('count_words {\n');
    await until('The arguments must be JSON');

    await say('renamed');
    await until(/restarted in \d+ ms: measure_text\n/u);
    stdin.write('list\n');
    await until('measure_text: Counts the words of a text.');

    await writeFile(offered, 'process.exit(3);\n');
    await until('not restarted: ');
    await say('first');
    await until(/restarted in \d+ ms: count_words\n/u);

    stdin.write('quit\n');
    expect(await ended).toBe(0);
  },
);

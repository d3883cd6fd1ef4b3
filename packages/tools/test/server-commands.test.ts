import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { runTools, temporaryFolder, texts } from './run-tools.ts';

/** Each run starts a server or two. */
const SEVERAL_RUNS = { timeout: 120_000 };

describe('mcp-tools call', () => {
  it('shows both forms of the answer', async () => {
    const { exitStatus, out } = await runTools(['call', 'count_words', '{"text":"a b"}', ...texts('first')]);
    expect({ exitStatus, out }).toEqual({
      exitStatus: 0,
      out: 'The text has 2 words.\n\n{\n  "words": 2\n}\n',
    });
  });

  it('ends with 1 when the tool reports a failure, and shows it', async () => {
    const { exitStatus, out } = await runTools(['call', 'count_words', '{}', ...texts('first')]);
    expect(exitStatus).toBe(1);
    expect(out).toContain('Invalid arguments for count_words. text:');
  });

  it.each([
    [['call', 'count_words', '[1]', ...texts('first')], 'must be a JSON object'],
    [['call', 'count_words', '{', ...texts('first')], 'must be JSON'],
    [['call', 'count_words'], 'Name the server'],
    [['call', ...texts('first')], 'Name the tool'],
    [['call', 'a', '--url', 'ftp://x'], '--url must be an http(s) URL'],
    [['call', 'a', '--url', 'http://x', ...texts('first')], 'not with both'],
    [['call', 'a', '--header', 'x', '--url', 'http://x'], '--header must have a name'],
    [['shout'], 'There is no command shout'],
    [['call', '--loud'], "Unknown option '--loud'"],
  ])('ends with 2 when it is used wrongly: %j', async (args, message) => {
    const { exitStatus, err } = await runTools(args);
    expect(exitStatus).toBe(2);
    expect(err).toContain(message);
    expect(err).toContain('Run mcp-tools --help for usage.');
  });

  it('ends with 1 when there is no server', async () => {
    const { exitStatus, err } = await runTools(['call', 'a', '--url', 'http://127.0.0.1:1/mcp']);
    expect(exitStatus).toBe(1);
    expect(err).toMatch(/^mcp-tools: /u);
  });
});

describe('mcp-tools lint', () => {
  it('has nothing to say of a server that clients like', async () => {
    expect(await runTools(['lint', ...texts('first')])).toMatchObject({
      exitStatus: 0,
      out: 'No problems.\n',
    });
  });

  it('names each problem, where it is and who stumbles over it', async () => {
    const { exitStatus, out } = await runTools(['lint', ...texts('poor')]);
    expect(exitStatus).toBe(1);
    expect(out).toContain('error refused: tool count.words: ');
    expect(out).toContain('warning annotations_missing: tool count.words: ');
  });

  it('gives them to programs as JSON', async () => {
    const { out } = await runTools(['lint', '--json', ...texts('poor')]);
    expect(JSON.parse(out)).toContainEqual(
      expect.objectContaining({ code: 'annotations_missing', name: 'count.words', level: 'warning' }),
    );
  });
});

describe('mcp-tools tokens', () => {
  it('counts what each tool costs, and ends with 1 when that is too much', SEVERAL_RUNS, async () => {
    const { exitStatus, out } = await runTools(['tokens', '--json', ...texts('first')]);
    const { tools, total } = JSON.parse(out) as {
      readonly tools: readonly {
        readonly name: string;
        readonly listed: number;
        readonly forModels: number;
      }[];
      readonly total: { readonly listed: number };
    };
    expect(exitStatus).toBe(0);
    expect(tools).toMatchObject([{ name: 'count_words' }]);
    expect(tools[0]?.forModels).toBeGreaterThan(30);
    expect(tools[0]?.listed).toBeGreaterThan(tools[0]?.forModels ?? Infinity);
    const limit = String(total.listed - 1);
    expect((await runTools(['tokens', '--max', limit, ...texts('first')])).exitStatus).toBe(1);
  });
});

describe('mcp-tools lock', () => {
  it(
    'writes the contract, finds it kept, and shows a breaking change without writing it',
    SEVERAL_RUNS,
    async () => {
      const directory = await temporaryFolder();
      const lock = (offered: string, ...options: string[]) =>
        runTools(['lock', ...options, ...texts(offered)], { directory });

      expect(await lock('first')).toMatchObject({
        exitStatus: 1,
        out: expect.stringContaining('There is no lock'),
      });
      expect(await lock('first', '--write')).toMatchObject({ exitStatus: 0 });
      expect(await lock('first')).toMatchObject({ exitStatus: 0, out: 'The server is as its lock says.\n' });
      const locked = await readFile(join(directory, 'mcp-lock.json'), 'utf8');

      const compared = await lock('stricter');
      expect(compared.exitStatus).toBe(1);
      expect(compared.out).toContain(
        '! tool count_words: input.language was added, and is required (breaking)\n',
      );
      expect(await lock('stricter', '--write')).toMatchObject({
        exitStatus: 1,
        out: expect.stringContaining('Not written: clients may fail.'),
      });
      expect(await readFile(join(directory, 'mcp-lock.json'), 'utf8')).toBe(locked);
      expect(await lock('stricter', '--write', '--accept-breaking')).toMatchObject({ exitStatus: 0 });
      expect(await lock('stricter')).toMatchObject({ exitStatus: 0 });
    },
  );

  it(
    'takes a rename with the former name for compatible, and the former name can be called',
    SEVERAL_RUNS,
    async () => {
      const directory = await temporaryFolder();
      await runTools(['lock', '--write', ...texts('first')], { directory });

      const { exitStatus, out } = await runTools(['lock', '--write', ...texts('renamed')], { directory });
      expect(exitStatus).toBe(0);
      expect(out).toContain('+ tool count_words is now measure_text, and answers under the old name\n');
      expect(out).toContain('+ tool measure_text: input.language was added\n');
      expect(await runTools(['call', 'count_words', '{"text":"a b"}', ...texts('renamed')])).toMatchObject({
        exitStatus: 0,
        out: expect.stringContaining('"words": 2'),
      });
    },
  );
});

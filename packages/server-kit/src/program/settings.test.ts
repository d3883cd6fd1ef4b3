import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

import { describeSettings, readSettings, SettingsError } from './settings.ts';

const settings = {
  PORT: { description: 'Port', schema: z.coerce.number('must be a number').int().max(65_535).default(3000) },
  MODE: { description: 'Mode', schema: z.enum(['a', 'b']) },
  PASSWORD: { description: 'Password', schema: z.string().min(8), secret: true },
  NOTE: { description: 'Note', schema: z.string().optional() },
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'settings-'));
});
afterAll(() => rm(folder, { recursive: true }));

function problemsOf(environment: Record<string, string>): readonly string[] {
  try {
    readSettings(settings, environment);
  } catch (error) {
    if (error instanceof SettingsError) {
      return error.problems;
    }
    throw error;
  }
  return [];
}

describe('readSettings', () => {
  it('parses text, fills in defaults and leaves out what is optional', () => {
    expect(readSettings(settings, { MODE: 'a', PASSWORD: 'long enough' })).toEqual({
      PORT: 3000,
      MODE: 'a',
      PASSWORD: 'long enough',
      NOTE: undefined,
    });
  });

  it('names every problem at once, and no value', () => {
    const problems = problemsOf({ PORT: '70000', MODE: 'zzz', PASSWORD: 'hunter2' });
    expect(problems.map((problem) => problem.split(':')[0])).toEqual(['PORT', 'MODE', 'PASSWORD']);
    expect(problems.join()).not.toMatch(/70000|zzz|hunter2/u);
  });

  it('takes an empty variable for one that was not set', () => {
    expect(problemsOf({ MODE: '', PASSWORD: 'long enough' })).toEqual(['MODE is required']);
  });

  it('reads NAME_FILE without the line break at its end', async () => {
    const file = join(folder, 'password');
    await writeFile(file, 'from the file\n');
    expect(readSettings(settings, { MODE: 'b', PASSWORD_FILE: file }).PASSWORD).toBe('from the file');
  });

  it('refuses a variable that is given both ways', async () => {
    const file = join(folder, 'both');
    await writeFile(file, 'from the file');
    expect(problemsOf({ MODE: 'b', PASSWORD: 'long enough', PASSWORD_FILE: file })).toEqual([
      'PASSWORD and PASSWORD_FILE are both set',
    ]);
  });

  it('names the variable of a file that cannot be read, not its path', () => {
    expect(problemsOf({ MODE: 'b', PASSWORD_FILE: join(folder, 'missing') })).toEqual([
      'PASSWORD_FILE cannot be read (ENOENT)',
    ]);
  });
});

describe('describeSettings', () => {
  it('breaks long lines below each other', () => {
    const long = { A: { description: 'word '.repeat(30).trim(), schema: z.string().optional() } };
    const lines = describeSettings(long).split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line.length).toBeLessThanOrEqual(110);
    }
    expect(lines[1]).toMatch(/^ {5}word/u);
  });

  it('says what is required and what is the default', () => {
    expect(describeSettings(settings).split('\n')).toEqual([
      '  PORT      Port (default: 3000)',
      '  MODE      Mode (required)',
      '  PASSWORD  Password (required)',
      '  NOTE      Note',
    ]);
  });
});

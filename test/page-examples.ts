import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import ts from 'typescript';

const root = fileURLToPath(new URL('..', import.meta.url));

/** What the unnamed TypeScript blocks of a page are, read from top to bottom. */
const MODULE = 'page.ts';

/** What a page says that a program prints; `…` stands for anything in a line. */
export interface Claim {
  /** What is run: the page's own module, or lines of shell that begin with `npx`, each with one of our commands. */
  readonly run: string;
  output: string;
}

/** The code in the fenced blocks of a Markdown file. */
export interface PageExamples {
  /** The files that a reader has: a block whose fence has a name after the language, and `page.ts`. */
  readonly files: ReadonlyMap<string, string>;
  readonly claims: readonly Claim[];
}

/** Reads the blocks of a page. A block ` ```text output ` says what the block before it prints. */
export function readExamples(markdown: string): PageExamples {
  const files = new Map<string, string>();
  const claims: Claim[] = [];
  let last = { language: '', code: '' };
  for (const { groups } of markdown.matchAll(
    /^```(?<language>\w+)(?: (?<name>\S+))?\n(?<code>.*?)^```$/gmsu,
  )) {
    const { language = '', name, code = '' } = groups ?? {};
    if (language === 'text' && name === 'output') {
      const run = last.language === 'ts' ? MODULE : last.code;
      const before = claims.find((claim) => run === MODULE && claim.run === MODULE);
      if (before === undefined) {
        claims.push({ run, output: code });
      } else {
        before.output += code;
      }
    } else if (name !== undefined || language === 'ts') {
      const file = name ?? MODULE;
      files.set(file, `${files.get(file) ?? ''}${code}`);
    }
    last = { language, code };
  }
  return { files, claims };
}

// The programs say `await using`, which Node 22 has not: it runs what was built last, and reads a translation of the page.
const conditions = Number.parseInt(process.versions.node, 10) >= 24 ? ['--conditions=@mcp-parts/source'] : [];

/** The commands that a page may run, by the package whose it is. */
const COMMANDS: Readonly<Record<string, string>> = {
  'mcp-audit': 'audit',
  'mcp-auth': 'auth',
  'mcp-tools': 'tools',
};

/** A folder with the files of a page, in which its programs run as a reader's would. Disposing of it removes it. */
export function layOut({ files }: PageExamples) {
  const folder = mkdtempSync(join(tmpdir(), 'page-'));
  symlinkSync(join(root, 'site/node_modules'), join(folder, 'node_modules'), 'junction');
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  for (const [name, code] of files) {
    writeFileSync(join(folder, name), code);
    if (name.endsWith('.ts')) {
      const { outputText } = ts.transpileModule(code, {
        compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
      });
      writeFileSync(join(folder, name.replace(/ts$/u, 'js')), outputText);
    }
  }
  return {
    /** Runs what a claim is about, and resolves with what it prints on standard output. */
    async print({ run }: Claim): Promise<string> {
      const lines = run === MODULE ? [['node', MODULE]] : run.trim().split('\n').map(words);
      const printed: string[] = [];
      for (const line of lines) {
        printed.push(await runLine(line, folder));
      }
      return printed.join('');
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}

async function runLine(line: readonly string[], folder: string): Promise<string> {
  const [first = '', command = '', ...rest] = line;
  const name = COMMANDS[command];
  const program =
    first === 'node'
      ? [command.replace(/ts$/u, 'js')]
      : [
          join(
            root,
            'packages',
            name ?? '',
            conditions.length > 0 ? `src/${command}.ts` : `dist/${command}.js`,
          ),
        ];
  if (first !== 'node' && (first !== 'npx' || name === undefined)) {
    throw new Error(`only our own commands are run, not ${line.join(' ')}`);
  }
  const args = rest.flatMap((word, index) =>
    word === 'node'
      ? [process.execPath, ...conditions]
      : rest[index - 1] === 'node'
        ? [word.replace(/ts$/u, 'js')]
        : [word],
  );
  const child = spawn(process.execPath, [...conditions, ...program, ...args], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  // Our commands end with 1 when they found something, and then they say what.
  if (child.exitCode !== 0 && (first === 'node' || child.exitCode !== 1)) {
    throw new Error(`${line.join(' ')} ended with ${child.exitCode}: ${stderr}`);
  }
  return stdout;
}

/** The words of a line of shell with quotes and nothing else. */
function words(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/gu)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
}

/** What a page claims as a pattern. */
export function patternOf(output: string): RegExp {
  const escaped = output.replaceAll(/[$()*+.?[\\\]^{|}]/gu, String.raw`\$&`).replaceAll('…', '.*?');
  return new RegExp(`^${escaped.trim()}$`, 'u');
}

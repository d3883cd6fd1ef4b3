import type { Command } from './command.ts';

type Row = readonly [name: string, text: string];

const HELP: Row = ['-h, --help', 'Show this text'];

/** What `mcp-auth --help` prints. */
export function usageOf(commands: readonly Command[]): string {
  const nameOf = ({ name, parameter }: Command) => (parameter === undefined ? name : `${name} ${parameter}`);
  return [
    'Usage: mcp-auth <command> [options]\n',
    'Answers questions of operators about who may do what.\n',
    section(
      'Commands',
      commands.map((command) => [nameOf(command), command.summary]),
    ),
    section('Options', [
      ['-h, --help', 'Show this text, or that of a command: mcp-auth <command> --help'],
      ['    --version', 'Show the version'],
    ]),
    exitStatus(commands.flatMap(({ name, found }) => (found === undefined ? [] : [`${name}: ${found}`]))),
  ].join('\n');
}

/** What `mcp-auth <command> --help` prints. */
export function commandUsageOf({ name, parameter, summary, options, found }: Command): string {
  const rows = Object.entries(options).map(([option, { value, text }]): Row => {
    return [`    --${option} ${value}`, text];
  });
  return [
    `Usage: mcp-auth ${name} ${parameter === undefined ? '' : `${parameter} `}[options]\n`,
    `${summary}\n`,
    section('Options', [...rows, ['    --json', 'Write JSON, for machines'], HELP]),
    exitStatus(found === undefined ? [] : [found]),
  ].join('\n');
}

function exitStatus(found: readonly string[]): string {
  return section('Exit status', [
    ['0', 'done'],
    ['1', found.length === 0 ? 'never' : found.join('; ')],
    ['2', 'wrong usage, or a file that cannot be used'],
  ]);
}

function section(title: string, rows: readonly Row[]): string {
  const width = Math.max(...rows.map(([name]) => name.length));
  return `${title}:\n${rows.map(([name, text]) => `  ${name.padEnd(width)}  ${text}\n`).join('')}`;
}

import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Writable } from 'node:stream';
import { parseArgs } from 'node:util';

import { endpointSource } from './endpoint-source.ts';
import { readOpenApi } from './read-openapi.ts';

/** What the program is given of the world. */
export interface CliContext {
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** The version of this package. */
  readonly version: string;
}

/** Runs one command line, without the program's name. Returns the exit status; never rejects. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<0 | 1 | 2> {
  const { stdout, stderr, version } = context;
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } },
    });
    const [input, output, ...only] = positionals;
    if (values.help === true) {
      stdout.write(USAGE);
    } else if (values.version === true) {
      stdout.write(`${version}\n`);
    } else if (input === undefined) {
      stderr.write(USAGE);
      return 2;
    } else if (output === undefined) {
      throw new UsageError('Name the file to write');
    } else {
      await writeEndpoints(input, output, only);
    }
    return 0;
  } catch (error) {
    const isUsage = error instanceof UsageError || isParseError(error);
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    stderr.write(`mcp-endpoints: ${line}\n${isUsage ? 'Run mcp-endpoints --help for usage.\n' : ''}`);
    return isUsage ? 2 : 1;
  }
}

const USAGE = `Usage: mcp-endpoints <openapi-file> <output-file> [operation-id ...] [options]

Writes the endpoints of an OpenAPI 3.1 or 3.0 document as TypeScript; of the named operations, or of all.

Options:
  -h, --help  Shows this text.
  --version   Shows the version.

Exit status:
  0  done
  1  the document has something that cannot be turned into endpoints, or the command failed
  2  wrong usage
`;

/** A wrong command line. `message` is shown as it is. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

function isParseError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

async function writeEndpoints(input: string, output: string, only: readonly string[]): Promise<void> {
  await writeFile(output, endpointSource(await readOpenApi(input), basename(input), only));
}

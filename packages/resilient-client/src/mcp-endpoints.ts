#!/usr/bin/env node
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';

import { endpointSource } from './openapi/endpoint-source.ts';
import { NotSupported } from './openapi/zod-source.ts';

/** Makes endpoint definitions from an OpenAPI document: `mcp-endpoints openapi.yaml src/endpoints.ts`. */
async function run([input, output, ...only]: readonly string[]): Promise<string | undefined> {
  if (input === undefined || output === undefined) {
    return 'usage: mcp-endpoints OPENAPI-FILE OUTPUT-FILE [OPERATION-ID ...]';
  }
  const parser = await loadParser();
  if (parser === undefined) {
    return 'mcp-endpoints needs its parser: npm install -D @apidevtools/swagger-parser';
  }
  try {
    await parser.validate(input);
    await writeFile(output, endpointSource(await parser.bundle(input), basename(input), only));
    return undefined;
  } catch (error) {
    if (error instanceof NotSupported) {
      return error.message;
    }
    return error instanceof Error ? `${input}: ${error.message}` : String(error);
  }
}

/** The parser is an optional peer dependency: a server that only calls endpoints does not need it. */
async function loadParser() {
  try {
    const module = await import('@apidevtools/swagger-parser');
    return module.default;
  } catch {
    // Not installed; the caller says what to do.
    return undefined;
  }
}

void run(process.argv.slice(2)).then((problem) => {
  if (problem === undefined) {
    return;
  }
  process.stderr.write(`${problem}\n`);
  process.exitCode = 1;
});

import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { endpointSource, readOpenApi } from '@mcp-parts/resilient-client/openapi';

import { UsageError, type Command } from '../cli/command.ts';
import { operationsOf } from '../openapi/operations.ts';
import { toolFile } from '../openapi/tool-source.ts';

const options = {
  operations: {
    type: 'string',
    value: '<id,id>',
    description:
      'The operations to make tools of: operationIds, or "GET /things/{id}". Choose few: a tool is one thing that a person asks for.',
  },
  out: {
    type: 'string',
    value: '<folder>',
    default: 'src/tools',
    description: 'Where the files are written.',
  },
  service: {
    type: 'string',
    value: '<name>',
    default: 'api',
    description: 'What the permissions begin with.',
  },
  force: { type: 'boolean', description: 'Also over files that are there.' },
} as const;

/** `mcp-tools from-openapi`: tools and endpoints of an API. */
export const fromOpenApiCommand: Command = {
  summary:
    'Writes tools and endpoints for chosen operations of an OpenAPI 3.1 or 3.0 document: strict arguments, an output to take members out of, and a hint to confirm what writes.',
  operands: '<document>',
  options,
  found:
    'the document has something that cannot be turned into tools, a file is there, or the command failed',
  async run(args, context) {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
    const [document] = positionals;
    const ids = (values.operations ?? '')
      .split(',')
      .map((id) => id.trim())
      .filter(Boolean);
    if (document === undefined || ids.length === 0) {
      throw new UsageError('Name the document, and its operations with --operations');
    }
    if (!/^[a-z][a-z0-9-]*$/u.test(values.service)) {
      throw new UsageError(`--service must have the characters a-z, 0-9 and -, got ${values.service}`);
    }
    const api = await readOpenApi(resolve(context.directory, document));
    const operations = operationsOf(api, ids);
    const files = [
      {
        name: 'endpoints.ts',
        source: endpointSource(
          api,
          basename(document),
          operations.map(({ id }) => id),
        ),
      },
      ...operations.map((operation) => toolFile(operation, values.service)),
    ];
    const folder = resolve(context.directory, values.out);
    await mkdir(folder, { recursive: true });
    for (const { name, source } of files) {
      await writeFile(join(folder, name), source, { flag: values.force === true ? 'w' : 'wx' });
      context.stdout.write(`wrote ${join(values.out, name)}\n`);
    }
    context.stdout.write(
      'Next: take out of each output what a model does not need, say in each description when to use the tool, and put them into createCatalog.\n',
    );
    return 0;
  },
};

import type { Operation } from './operations.ts';

/** A file of the generated server. */
export interface ToolFile {
  readonly name: string;
  readonly source: string;
}

/** The file with the tool of one operation, over the endpoints beside it. `service` begins its permission. */
export function toolFile(operation: Operation, service: string): ToolFile {
  const words = wordsOf(operation.id);
  const factory = `create${words.map(capital).join('')}`;
  const { endpoint, method, path, members, isEmpty } = operation;
  const { input, taken, sent } = argumentsOf(operation);
  const isRead = method === 'GET' || method === 'HEAD';
  const options = operation.takesKey
    ? ', {\n        // The same for every attempt of one call.\n        idempotencyKey: context.correlationId,\n      }'
    : '';
  const call = `callFor(context, client, ${endpoint}, ${sent}${options})`;
  const output = isEmpty
    ? {
        schema: 'z.object({ done: z.literal(true) })',
        handle: `{\n      await ${call};\n      return { done: true } as const;\n    }`,
      }
    : members === undefined
      ? {
          schema: `z.object({ result: ${endpoint}.response })`,
          handle: `{\n      return { result: await ${call} };\n    }`,
        }
      : {
          schema: `${endpoint}.response.pick({\n${members.map((name) => `      ${keyOf(name)}: true,\n`).join('')}    })`,
          handle: `{\n      return ${call};\n    }`,
        };
  const source = `import { callFor, type Client } from '@mcp-parts/resilient-client';
import { defineTool } from '@mcp-parts/tool-kit';
${input.includes('z.') || output.schema.startsWith('z.') ? "import { z } from 'zod';\n" : ''}
import { ${endpoint} } from './endpoints.ts';

/** \`${words.join('_')}\`: ${method} ${path.replaceAll('*/', '* /')} */
export function ${factory}(client: Client) {
  return defineTool({
    name: '${words.join('_')}',
    title: ${quote(capital(words.join(' ')))},
    description: ${quote(describe(operation, isRead))},
    input: ${input},
    // What a model is told: take out what it does not need, each member is paid for.
    output: ${output.schema},
    annotations: { readOnly: ${isRead}, destructive: ${!isRead && method !== 'POST'}, idempotent: ${method !== 'POST' && method !== 'PATCH'}, openWorld: false },
    permission: '${service}:${isRead ? 'read' : 'write'}',
    async handle(${taken}, context) ${output.handle},
  });
}
`;
  return { name: `${words.join('-')}.ts`, source };
}

/** Path parameters, the query and the body as arguments, and how they go to the endpoint again. */
function argumentsOf(operation: Operation) {
  const { endpoint, parameters, hasQuery, hasBody, isObjectBody } = operation;
  const own = parameters.map(
    ({ name, description, values, isInteger }) =>
      `${name}: ${values === undefined ? (isInteger ? 'z.int()' : 'z.string().min(1)') : `z.enum([${values.map(quote).join(', ')}])`}${description === undefined ? '' : `.describe(${quote(description)})`}`,
  );
  const names = parameters.map(({ name }) => name);
  const params = names.length === 0 ? [] : [`params: { ${names.join(', ')} }`];
  const taking = (rest: string) => (names.length === 0 ? rest : `{ ${[...names, `...${rest}`].join(', ')} }`);
  const sending = (parts: readonly string[]) => (parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`);
  // An endpoint declares its query and body as what need not be there; this one has them.
  if (hasQuery && hasBody) {
    return {
      input: `z.strictObject({ ${[...own, `query: ${endpoint}.query!`, `body: ${endpoint}.body!`].join(', ')} })`,
      taken: `{ ${[...names, 'query', 'body'].join(', ')} }`,
      sent: sending([...params, 'query', 'body']),
    };
  }
  if (hasQuery || (hasBody && isObjectBody)) {
    const part = hasQuery ? 'query' : 'body';
    const schema = `${endpoint}.${part}!`;
    return {
      input: own.length === 0 ? schema : `${schema}.extend({ ${own.join(', ')} })`,
      taken: taking(part),
      sent: sending([...params, part]),
    };
  }
  return {
    input: `z.strictObject({ ${[...own, ...(hasBody ? [`body: ${endpoint}.body!`] : [])].join(', ')} })`,
    taken: `{ ${[...names, ...(hasBody ? ['body'] : [])].join(', ')} }`.replace('{  }', '_input'),
    sent: sending([...params, ...(hasBody ? ['body'] : [])]),
  };
}

function describe({ summary }: Operation, isRead: boolean): string {
  const sentence = /[.!?]$/u.test(summary) ? summary : `${summary}.`;
  const text = sentence.replaceAll(/\s+/gu, ' ');
  return isRead ? text : `${text} Ask the person to confirm before you call it.`;
}

/** `deployments.listAll` as `deployments`, `list`, `all`. */
function wordsOf(id: string): readonly string[] {
  return id
    .replaceAll(/([a-z\d])([A-Z])/gu, '$1 $2')
    .split(/[^A-Za-z\d]+/u)
    .filter(Boolean)
    .map((word) => word.toLowerCase());
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}

function keyOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/u.test(name) ? name : quote(name);
}

/** What a document says becomes a string, whatever is in it. */
function quote(text: string): string {
  return JSON.stringify(text)
    .replaceAll('\u2028', String.raw`\u2028`)
    .replaceAll('\u2029', String.raw`\u2029`);
}

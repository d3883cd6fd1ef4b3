import type { JsonObject } from '@mcp-parts/tool-kit';

import type { Offered } from '../server/offered.ts';

/** What clients and models rely on, as a file that is committed. */
export interface Contract {
  /** Of the form of the file. */
  readonly lockVersion: 1;
  readonly tools: Readonly<Record<string, ToolContract>>;
  /** By their names. */
  readonly resources: Readonly<Record<string, { readonly uriTemplate: string }>>;
  /** Their arguments by name, and whether each is required. */
  readonly prompts: Readonly<Record<string, Readonly<Record<string, 'required' | 'optional'>>>>;
}

/** What is relied on of one tool. */
export interface ToolContract {
  readonly description: string;
  readonly readOnly: boolean;
  readonly destructive: boolean;
  readonly input: JsonObject;
  readonly output?: JsonObject;
  /** The names that it had before, under which it can still be called. */
  readonly formerNames?: readonly string[];
}

/** The `_meta` key under which a tool lists its former names. */
const FORMER_NAMES = 'mcp-parts/formerNames';

/** The contract of what a server offers, in the order of the names. */
export function contractOf({ tools, resourceTemplates, prompts }: Offered): Contract {
  return {
    lockVersion: 1,
    tools: sorted(
      tools.map(({ name, description = '', inputSchema, outputSchema, annotations = {}, _meta = {} }) => {
        const former = _meta[FORMER_NAMES];
        return [
          name,
          {
            description,
            // The defaults of the protocol: schema.ts, ToolAnnotations.
            readOnly: annotations['readOnlyHint'] === true,
            destructive: annotations['readOnlyHint'] !== true && annotations['destructiveHint'] !== false,
            input: inputSchema,
            ...(outputSchema !== undefined && { output: outputSchema }),
            ...(Array.isArray(former) && { formerNames: former.map(String) }),
          },
        ];
      }),
    ),
    resources: sorted(
      resourceTemplates.map(({ name, uriTemplate }) => [textOf(name), { uriTemplate: textOf(uriTemplate) }]),
    ),
    prompts: sorted(
      prompts.map(({ name, arguments: all = [] }) => [
        name,
        sorted(all.map((argument) => [argument.name, argument.required === true ? 'required' : 'optional'])),
      ]),
    ),
  };
}

/** As it is written to disk: the same for the same contract, one thing on a line. */
export function contractText(contract: Contract): string {
  return `${JSON.stringify(contract, null, 2)}\n`;
}

/** The contract that a text holds; `undefined` for one that is none, or of another form. */
export function parseContract(text: string): Contract | undefined {
  let value: unknown;
  try {
    // An editor may have put a byte order mark before it.
    value = JSON.parse(text.replace(/^\ufeff/u, ''));
  } catch {
    return undefined;
  }
  const contract = isRecord(value) ? value : {};
  const isContract =
    contract['lockVersion'] === 1 &&
    ['tools', 'resources', 'prompts'].every((member) => isRecord(contract[member]));
  // Below that, it is as `contractText` wrote it.
  return isContract ? (contract as unknown as Contract) : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sorted<Value>(entries: readonly (readonly [string, Value])[]): Record<string, Value> {
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

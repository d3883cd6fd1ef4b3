import type { JsonObject } from '@mcp-parts/tool-kit';
import type { Client } from '@modelcontextprotocol/client';

/** All that a server offers, as it lists it. */
export interface Offered {
  readonly tools: readonly ListedTool[];
  readonly resourceTemplates: readonly JsonObject[];
  readonly prompts: readonly ListedPrompt[];
  readonly instructions: string | undefined;
}

/** A tool as it is listed. */
export interface ListedTool {
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly inputSchema: JsonObject;
  readonly outputSchema?: JsonObject;
  readonly annotations?: Readonly<Record<string, boolean | string | undefined>>;
  readonly _meta?: JsonObject;
}

/** A prompt as it is listed. */
export interface ListedPrompt {
  readonly name: string;
  readonly description?: string;
  readonly arguments?: readonly {
    readonly name: string;
    readonly description?: string;
    readonly required?: boolean;
  }[];
}

/** Lists all that a server offers. */
export async function listOffered(client: Client): Promise<Offered> {
  const { tools, resources, prompts } = client.getServerCapabilities() ?? {};
  // What the SDK has checked is of the protocol's form, which is JSON.
  return {
    tools: tools === undefined ? [] : ((await client.listTools()).tools as unknown as readonly ListedTool[]),
    resourceTemplates:
      resources === undefined
        ? []
        : ((await client.listResourceTemplates()).resourceTemplates as unknown as readonly JsonObject[]),
    prompts:
      prompts === undefined
        ? []
        : ((await client.listPrompts()).prompts as unknown as readonly ListedPrompt[]),
    instructions: client.getInstructions(),
  };
}

import type {
  CallToolRequest,
  CallToolResult,
  CompleteRequest,
  CompleteResult,
  GetPromptRequest,
  GetPromptResult,
  Implementation,
  ListPromptsResult,
  ListResourcesResult,
  ListResourceTemplatesResult,
  ListToolsResult,
  ReadResourceRequest,
  ReadResourceResult,
  ServerCapabilities,
} from '@modelcontextprotocol/client';

/** How long a request may wait: until the signal aborts. */
export interface RequestOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What the clients of both SDKs can do, so that one test runs on both. A JSON-RPC error rejects with its `code`. */
export interface TestClient {
  readonly getServerVersion: () => Implementation | undefined;
  readonly getServerCapabilities: () => ServerCapabilities | undefined;
  readonly getInstructions: () => string | undefined;
  readonly listTools: () => Promise<ListToolsResult>;
  readonly callTool: (params: CallToolRequest['params'], options?: RequestOptions) => Promise<CallToolResult>;
  readonly listResources: () => Promise<ListResourcesResult>;
  readonly listResourceTemplates: () => Promise<ListResourceTemplatesResult>;
  readonly readResource: (
    params: ReadResourceRequest['params'],
    options?: RequestOptions,
  ) => Promise<ReadResourceResult>;
  readonly listPrompts: () => Promise<ListPromptsResult>;
  readonly getPrompt: (
    params: GetPromptRequest['params'],
    options?: RequestOptions,
  ) => Promise<GetPromptResult>;
  readonly complete: (params: CompleteRequest['params'], options?: RequestOptions) => Promise<CompleteResult>;
}

/** The options as both SDKs take them: absent, never `undefined`. */
export function sdkOptions(options: RequestOptions | undefined): { readonly signal?: AbortSignal } {
  return options?.signal === undefined ? {} : { signal: options.signal };
}

/** A client and the server at its other end. */
export interface Connection extends AsyncDisposable {
  readonly client: TestClient;
  /** Closes both ends; a call that still runs is cancelled. */
  readonly close: () => Promise<void>;
}

/** How the clients introduce themselves. */
export const CLIENT_INFO = { name: 'mcp-parts-testing', version: '1.0.0' } as const;

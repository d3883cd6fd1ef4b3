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
  readonly signal?: AbortSignal;
}

/** What the clients of both SDKs can do, so that one test runs on both. A JSON-RPC error rejects with its `code`. */
export interface TestClient {
  getServerVersion(): Implementation | undefined;
  getServerCapabilities(): ServerCapabilities | undefined;
  getInstructions(): string | undefined;
  listTools(): Promise<ListToolsResult>;
  callTool(params: CallToolRequest['params'], options?: RequestOptions): Promise<CallToolResult>;
  listResources(): Promise<ListResourcesResult>;
  listResourceTemplates(): Promise<ListResourceTemplatesResult>;
  readResource(params: ReadResourceRequest['params'], options?: RequestOptions): Promise<ReadResourceResult>;
  listPrompts(): Promise<ListPromptsResult>;
  getPrompt(params: GetPromptRequest['params'], options?: RequestOptions): Promise<GetPromptResult>;
  complete(params: CompleteRequest['params'], options?: RequestOptions): Promise<CompleteResult>;
}

/** A client and the server at its other end. */
export interface Connection extends AsyncDisposable {
  readonly client: TestClient;
  /** Closes both ends; a call that still runs is cancelled. */
  close(): Promise<void>;
}

/** How the clients introduce themselves. */
export const clientInfo = { name: 'mcp-parts-testing', version: '1.0.0' } as const;

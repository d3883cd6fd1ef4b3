import type { JsonObject, LogLevel } from '@mcp-parts/tool-kit';
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

/** What the server may do while the client waits for a response. */
export interface RequestOptions {
  /** How long a request may wait: until the signal aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Asks for reports of how far the call is, and hears them. @default none are sent */
  readonly onProgress?: ((report: ProgressReport) => void) | undefined;
}

/** How far a call is. */
export interface ProgressReport {
  readonly progress: number;
  readonly total?: number | undefined;
  readonly message?: string | undefined;
}

/** What a server asks its client while a call runs, as the revision has it. */
export interface TestQuestion {
  readonly method: 'elicitation/create' | 'sampling/createMessage' | 'roots/list';
  readonly params: JsonObject;
}

/** A message of the server that a client may show. */
export interface TestLogMessage {
  readonly level: string;
  readonly data: unknown;
}

/** What a client is, beside asking. */
export interface ClientOptions {
  /**
   * What it says that it can do, as the revision has it.
   * @default with `onQuestion`, everything that can be asked: forms and URLs, sampling, roots; else nothing
   */
  readonly capabilities?: JsonObject | undefined;
  /**
   * Answers what the server asks, with the result as the revision has it, such as
   * `{ action: 'accept', content: { size: 'small' } }`; what it throws is the answer too, a JSON-RPC error.
   */
  readonly onQuestion?: ((question: TestQuestion) => JsonObject | Promise<JsonObject>) | undefined;
  /** Hears the messages of the server. @default the client asks for none */
  readonly onLog?: ((message: TestLogMessage) => void) | undefined;
  /** From which level on it wants them. @default 'info' */
  readonly logLevel?: LogLevel | undefined;
}

const ASKABLE = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} } as const;

/** The methods that ask a client, by the capability that each needs. */
export const QUESTIONS = {
  elicitation: 'elicitation/create',
  sampling: 'sampling/createMessage',
  roots: 'roots/list',
} as const;

/** What the client says that it can do. */
export function capabilitiesOf({ capabilities, onQuestion }: ClientOptions): JsonObject {
  return capabilities ?? (onQuestion === undefined ? {} : ASKABLE);
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
export function sdkOptions({ signal, onProgress }: RequestOptions = {}): {
  readonly signal?: AbortSignal;
  readonly onprogress?: (report: ProgressReport) => void;
} {
  return {
    ...(signal !== undefined && { signal }),
    ...(onProgress !== undefined && { onprogress: onProgress }),
  };
}

/** A client and the server at its other end. */
export interface Connection extends AsyncDisposable {
  readonly client: TestClient;
  /** Closes both ends; a call that still runs is cancelled. */
  readonly close: () => Promise<void>;
}

/** How the clients introduce themselves. */
export const CLIENT_INFO = { name: 'mcp-parts-testing', version: '1.0.0' } as const;

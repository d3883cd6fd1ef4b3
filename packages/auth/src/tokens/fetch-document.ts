import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import { pipeline, type Readable } from 'node:stream';
import { createUnzip } from 'node:zlib';

const MAX_BYTES = 512 * 1024;
const COMPRESSED = /^(?:x-gzip|gzip|deflate)$/i;

/** A small document of the issuer: its metadata, its key set, or what it says of a token. */
export interface FetchedDocument {
  /** The HTTP status. */
  readonly status: number;
  /** The body, as UTF-8, without a byte order mark. */
  readonly text: string;
}

/** What is sent along. */
interface DocumentRequest {
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Sent by POST, as a form. @default GET */
  readonly form?: URLSearchParams | undefined;
}

/**
 * Gets a document from an address the operator configured. A redirect is a response like any other, never
 * followed: it would let the issuer's web server choose where keys come from.
 * @throws {Error} when the address cannot be reached or sends more than 512 KiB; the signal's reason
 */
export async function fetchDocument(
  url: string,
  signal: AbortSignal,
  request: DocumentRequest = {},
): Promise<FetchedDocument> {
  signal.throwIfAborted();
  try {
    const response = await sendOnLiveConnection(url, signal, request);
    return { status: response.statusCode ?? 0, text: await readText(url, response) };
  } catch (error) {
    // Node's own error for it only has the reason as its cause.
    signal.throwIfAborted();
    throw error;
  }
}

/**
 * A server may close a connection in the moment in which it is used again. What we ask can be asked twice, so it is,
 * until a connection was open.
 */
async function sendOnLiveConnection(
  url: string,
  signal: AbortSignal,
  request: DocumentRequest,
): Promise<IncomingMessage> {
  for (;;) {
    const { sent, response } = send(url, signal, request);
    try {
      return await response;
    } catch (error) {
      if (!sent.reusedSocket || signal.aborted) {
        throw error;
      }
    }
  }
}

/** Not `fetch`: its HTTP parser is WebAssembly, and compiling it leaves a process some 18 MiB larger. */
function send(
  url: string,
  signal: AbortSignal,
  { headers, form }: DocumentRequest,
): { readonly sent: ClientRequest; readonly response: Promise<IncomingMessage> } {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const open = new URL(url).protocol === 'https:' ? requestHttps : requestHttp;
  const sent = open(url, {
    method: form === undefined ? 'GET' : 'POST',
    signal,
    headers: {
      accept: 'application/json',
      'accept-encoding': 'gzip, deflate',
      // Some gateways turn away who has no name.
      'user-agent': 'node',
      ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' }),
      ...headers,
    },
  });
  sent.once('response', resolve);
  // Also after the response: what goes wrong then is told by the response too.
  sent.on('error', reject);
  sent.end(form?.toString());
  return { sent, response: promise };
}

async function readText(url: string, response: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early ends the body, and with it the connection.
  for await (const chunk of decoded(response) as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) {
      throw new Error(`the document at ${url} is larger than ${MAX_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function decoded(response: IncomingMessage): Readable {
  if (!COMPRESSED.test(response.headers['content-encoding'] ?? '')) {
    return response;
  }
  // The loop that reads it throws what went wrong.
  return pipeline(response, createUnzip(), () => {});
}

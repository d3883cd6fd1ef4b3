const MAX_BYTES = 512 * 1024;

/** A small document of the issuer: its metadata, its key set, or what it says of a token. */
export interface FetchedDocument {
  /** The HTTP status. */
  readonly status: number;
  /** The body, as UTF-8, without a byte order mark. */
  readonly text: string;
}

/**
 * Gets a document from an address the operator configured. A redirect is a response like any other, never
 * followed: it would let the issuer's web server choose where keys come from.
 * @throws {Error} when the address cannot be reached or sends more than 512 KiB
 */
export async function fetchDocument(
  url: string,
  signal: AbortSignal,
  request: {
    readonly headers?: Readonly<Record<string, string>> | undefined;
    /** Sent by POST, as a form. @default GET */
    readonly form?: URLSearchParams | undefined;
  } = {},
): Promise<FetchedDocument> {
  const response = await fetch(url, {
    method: request.form === undefined ? 'GET' : 'POST',
    body: request.form ?? null,
    redirect: 'manual',
    signal,
    headers: { accept: 'application/json', ...request.headers },
  });
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop early cancels the body, and with it the connection.
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) {
      throw new Error(`the document at ${url} is larger than ${MAX_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  return { status: response.status, text: new TextDecoder().decode(Buffer.concat(chunks)) };
}

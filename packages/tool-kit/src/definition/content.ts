import type { JsonObject } from '../json.ts';

/** For whom a block is meant, how much it matters, and how old it is (2025-11-25 and later, server/resources). */
export interface ContentAnnotations {
  readonly audience?: readonly ('user' | 'assistant')[] | undefined;
  /** From 0, which may be left out, to 1, which may not. */
  readonly priority?: number | undefined;
  /** ISO 8601. */
  readonly lastModified?: string | undefined;
}

/** What any block may have besides its content. */
export interface ContentOptions {
  readonly annotations?: ContentAnnotations | undefined;
  /** Its `_meta`, by namespaced keys. */
  readonly meta?: JsonObject | undefined;
}

/** One block of a tool's answer or a prompt's message, as the protocol has it. Make it with the functions below. */
export type Content =
  | ({ readonly type: 'text'; readonly text: string } & BlockExtras)
  | ({ readonly type: 'image' | 'audio'; readonly data: string; readonly mimeType: string } & BlockExtras)
  | ({ readonly type: 'resource_link' } & LinkFields & BlockExtras)
  | ({ readonly type: 'resource'; readonly resource: EncodedContents } & BlockExtras);

interface BlockExtras {
  readonly annotations?: ContentAnnotations;
  readonly _meta?: JsonObject;
}

interface LinkFields {
  readonly uri: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
  readonly size?: number;
}

/** A resource that the reader may fetch. */
export interface ResourceLink {
  readonly uri: string;
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly mimeType?: string | undefined;
  /** In bytes. */
  readonly size?: number | undefined;
}

/** Text, or bytes, under a URI. */
export type ResourceContents = {
  readonly uri: string;
  readonly mimeType?: string | undefined;
  /** Its `_meta`, by namespaced keys. */
  readonly meta?: JsonObject | undefined;
} & (
  | { readonly text: string; readonly blob?: undefined }
  | { readonly blob: Uint8Array; readonly text?: undefined }
);

/** The same as the protocol has it, bytes in base64. */
export interface EncodedContents extends JsonObject {
  readonly uri: string;
}

/** A block of text. */
export function textContent(text: string, options: ContentOptions = {}): Content {
  return { type: 'text', text, ...extrasOf(options) };
}

/** An image of its bytes, or of base64 that you have already. */
export function imageContent(
  data: Uint8Array | string,
  mimeType: string,
  options: ContentOptions = {},
): Content {
  return { type: 'image', data: base64Of(data), mimeType, ...extrasOf(options) };
}

/** A sound of its bytes, or of base64 that you have already. */
export function audioContent(
  data: Uint8Array | string,
  mimeType: string,
  options: ContentOptions = {},
): Content {
  return { type: 'audio', data: base64Of(data), mimeType, ...extrasOf(options) };
}

/** A link to a resource, in place of its content. */
export function resourceLink(link: ResourceLink, options: ContentOptions = {}): Content {
  const { uri, name, title, description, mimeType, size } = link;
  return {
    type: 'resource_link',
    uri,
    name,
    ...(title !== undefined && { title }),
    ...(description !== undefined && { description }),
    ...(mimeType !== undefined && { mimeType }),
    ...(size !== undefined && { size }),
    ...extrasOf(options),
  };
}

/** A resource with its content. */
export function embeddedResource(contents: ResourceContents, options: ContentOptions = {}): Content {
  return { type: 'resource', resource: encodeContents(contents), ...extrasOf(options) };
}

/** Bytes become base64. */
export function encodeContents({ uri, mimeType, text, blob, meta }: ResourceContents): EncodedContents {
  return {
    uri,
    ...(mimeType !== undefined && { mimeType }),
    ...(blob === undefined ? { text } : { blob: base64Of(blob) }),
    ...(meta !== undefined && { _meta: meta }),
  };
}

function base64Of(data: Uint8Array | string): string {
  return typeof data === 'string'
    ? data
    : Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
}

function extrasOf({ annotations, meta }: ContentOptions): BlockExtras {
  return {
    ...(annotations !== undefined && { annotations }),
    ...(meta !== undefined && { _meta: meta }),
  };
}

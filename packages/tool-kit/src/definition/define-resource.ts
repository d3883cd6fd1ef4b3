import type { JsonObject, JsonValue } from '../json.ts';
import type { AuditDetails } from './audit-details.ts';
import type { CallContext, Completer } from './call-context.ts';
import type { ContentAnnotations, ResourceContents } from './content.ts';
import type { CacheHint, Icon, ListingOptions } from './listing-options.ts';
import type { Permission } from './permission.ts';
import type { ObjectSchema, OutputOf } from './schema/object-schema.ts';

/** One entry of `resources/list`. */
export interface ResourceListing {
  readonly uri: string;
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  /** @default that of the definition */
  readonly mimeType?: string | undefined;
  /** In bytes. */
  readonly size?: number | undefined;
  readonly icons?: readonly Icon[] | undefined;
  readonly annotations?: ContentAnnotations | undefined;
  /** Its `_meta`, by namespaced keys. */
  readonly meta?: JsonObject | undefined;
}

/** One page of a family's entries. */
export interface ResourcePage {
  readonly resources: readonly ResourceListing[];
  /** Where the next page begins, in words of yours. @default this is the last one */
  readonly nextCursor?: string | undefined;
}

/** A resource, or a family of them under a URI template with `{variables}` (RFC 6570 level 1). */
export interface ResourceDefinition<
  Parameters extends ObjectSchema<unknown, unknown> = ObjectSchema,
> extends ListingOptions {
  readonly name: string;
  readonly description: string;
  readonly uriTemplate: string;
  /** Of its content. @default 'application/json' */
  readonly mimeType?: string | undefined;
  /** @default none */
  readonly annotations?: ContentAnnotations | undefined;
  /** How long a client may keep what it has read. @default it may not */
  readonly cache?: CacheHint | undefined;
  /** One string schema for each variable of the template. */
  readonly parameters: Parameters;
  readonly permission: Permission<OutputOf<Parameters>>;
  readonly complete?: { readonly [Name in keyof OutputOf<Parameters>]?: Completer | undefined } | undefined;
  audit?(parameters: OutputOf<Parameters>): AuditDetails;
  /**
   * The resources that exist now. A list of any length is cut into pages for the client; where even to fetch it whole
   * is too much, return a page, and go on from its `nextCursor` when that comes back.
   */
  list(context: CallContext, cursor?: string): Promise<readonly ResourceListing[] | ResourcePage>;
  /**
   * The content; `undefined` when there is no such resource. Bytes are sent as they are, and so is a text whose
   * `mimeType` is not JSON; anything else is sent as JSON. For several, or other URIs, use `severalContents`.
   */
  read(
    parameters: OutputOf<Parameters>,
    context: CallContext,
  ): Promise<JsonValue | Uint8Array | SeveralContents | undefined>;
}

/** Contents that are told apart by their URIs. */
export class SeveralContents {
  readonly contents: readonly ResourceContents[];

  constructor(contents: readonly ResourceContents[]) {
    this.contents = contents;
  }
}

/** What a resource holds when it is more than one thing, such as the files of a folder. */
export function severalContents(...contents: readonly ResourceContents[]): SeveralContents {
  return new SeveralContents(contents);
}

/** Returns the resource as it is, with the parameters' types inferred from its schema. */
export function defineResource<Parameters extends ObjectSchema<unknown, unknown>>(
  resource: ResourceDefinition<Parameters>,
): ResourceDefinition<Parameters> {
  return resource;
}

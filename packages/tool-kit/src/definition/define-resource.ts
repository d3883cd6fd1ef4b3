import type { JsonValue } from '../json.ts';
import type { AuditDetails } from './audit-details.ts';
import type { CallContext, Completer } from './call-context.ts';
import type { ObjectSchema, OutputOf } from './object-schema.ts';
import type { Permission } from './permission.ts';

/** One entry of `resources/list`. */
export interface ResourceListing {
  readonly uri: string;
  readonly name: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
}

/** One page of a family's entries. */
export interface ResourcePage {
  readonly resources: readonly ResourceListing[];
  /** Where the next page begins, in words of yours. @default this is the last one */
  readonly nextCursor?: string | undefined;
}

/** A resource, or a family of them under a URI template with `{variables}` (RFC 6570 level 1). */
export interface ResourceDefinition<Parameters extends ObjectSchema<unknown, unknown> = ObjectSchema> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly uriTemplate: string;
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
  /** The content, sent as `application/json`; `undefined` when there is no such resource. */
  read(parameters: OutputOf<Parameters>, context: CallContext): Promise<JsonValue | undefined>;
}

/** Returns the resource as it is, with the parameters' types inferred from its schema. */
export function defineResource<Parameters extends ObjectSchema<unknown, unknown>>(
  resource: ResourceDefinition<Parameters>,
): ResourceDefinition<Parameters> {
  return resource;
}

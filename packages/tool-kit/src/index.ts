export { createCatalog, type Catalog, type CatalogDefinitions } from './catalog/catalog.ts';
export type { BindingOptions, RegisterToolOptions, RequestOrigin } from './protocol/binding.ts';
export {
  definePrompt,
  defineResource,
  defineTool,
  type AuditDetails,
  type CallContext,
  type Completer,
  type OnUnavailable,
  type Permission,
  type PromptDefinition,
  type ResourceDefinition,
  type ResourceListing,
  type TaskContext,
  type TaskDefinition,
  type ToolAnnotations,
  type ToolDefinition,
} from './definition/definitions.ts';
export type { ObjectSchema } from './definition/object-schema.ts';
export { PublicError, RpcError, rpcCodes } from './errors.ts';
export type { JsonObject, JsonValue } from './json.ts';
export { createMethodTable, type MethodHandler, type MethodTable } from './protocol/method-table.ts';
export type {
  AuditActor,
  AuditEntry,
  AuditIntent,
  AuditOutcome,
  AuditTrail,
  Authorizer,
  CallMeasurement,
  Caller,
  Decision,
  Logger,
  RateLimiter,
  Task,
  TaskRunner,
  Telemetry,
  UpstreamCall,
} from './ports.ts';
export { requiredPermission } from './protocol/required-permission.ts';
export type { RequestContext } from './call/operation.ts';
export { authorize, type AuthorizeOptions } from './call/authorize.ts';
export type { AuditSubject } from './call/audit-intent.ts';
export { recordRefusal, targetOf, type Refusal } from './call/record-refusal.ts';
export type { PipelineOptions } from './call/pipeline-options.ts';

export {
  createCatalog,
  type Catalog,
  type CatalogChange,
  type CatalogDefinitions,
  type CatalogNames,
  type ListChange,
  type ListName,
} from './catalog/catalog.ts';
export type { CatalogSelection } from './catalog/selection.ts';
export { checkCatalog, type CheckOptions } from './checks/check-catalog.ts';
export type { CatalogProblem, CatalogProblemCode } from './checks/catalog-problem.ts';
export type { BindingOptions, RequestOrigin } from './protocol/binding.ts';
export type { RegisterOptions } from './protocol/single-definition.ts';
export {
  audioContent,
  embeddedResource,
  imageContent,
  resourceLink,
  textContent,
  type Content,
  type ContentAnnotations,
  type ContentOptions,
  type ResourceContents,
  type ResourceLink,
} from './definition/content.ts';
export { definePrompt, type PromptDefinition, type PromptMessage } from './definition/define-prompt.ts';
export {
  defineResource,
  severalContents,
  type ResourceDefinition,
  type ResourceListing,
  type ResourcePage,
  type SeveralContents,
} from './definition/define-resource.ts';
export {
  defineTool,
  type ContentToolDefinition,
  type OnUnavailable,
  type ToolAnnotations,
  type ToolAnswer,
  type ToolDefinition,
} from './definition/define-tool.ts';
export type { Approval, Confirmation, ConfirmationLevel } from './definition/confirmation.ts';
export type { Limit, ToolLimit } from './definition/limit.ts';
export type { CallLimiterOptions, Exceeded } from './limits/call-limiter.ts';
export {
  createErrors,
  type DeclaredError,
  type DeclaredErrors,
  type ErrorDefinition,
  type FailureDetails,
} from './definition/words/tool-errors.ts';
export { foreignText, quoted } from './definition/words/foreign-text.ts';
export { createLocalPlaces } from './limits/local-places.ts';
export type { AuditDetails } from './definition/audit-details.ts';
export type { CallContext, Completer } from './definition/call-context.ts';
export type { CacheHint, Icon, ListingOptions } from './definition/listing-options.ts';
export type { Permission } from './definition/permission.ts';
export { outcomeOfTask } from './tasks/task-result.ts';
export type { CallTask } from './definition/call-task.ts';
export type { CompanionTool, LongRunning } from './definition/long-running.ts';
export type { WatchTask } from './protocol/watch-task.ts';
export type {
  ArgumentSchema,
  ObjectSchema,
  ValueSchema,
  OutputOf,
} from './definition/schema/object-schema.ts';
export { standardSchema, type StandardSchema } from './standard/standard-schema.ts';
export { PublicError, RpcError, rpcCodes } from './errors.ts';
export type { Channel, ClientReply, Retry } from './exchange/channel.ts';
export type { Ask, Once } from './exchange/conversation.ts';
export type { LogLevel } from './exchange/log-level.ts';
export {
  accepted,
  type Answer,
  type Answers,
  type Question,
  type QuestionMethod,
  type Questions,
  type Reading,
} from './exchange/question.ts';
export type { JsonObject, JsonValue } from './json.ts';
export {
  createMethodTable,
  type MethodHandler,
  type MethodTable,
  type MethodTableOptions,
  type PreparedCall,
} from './protocol/method-table.ts';
export type { ChangeFeed, ChangeListener, ChangeOptions } from './changes/change-feed.ts';
export type { RenewCaller } from './changes/caller-renewal.ts';
export type { Change, ListenOptions } from './changes/change-listener.ts';
export { createEventBus, isServerEvent, type EventBus, type ServerEvent } from './changes/event-bus.ts';
export { notificationOf } from './changes/notification.ts';
export type { HeaderParameter } from './catalog/schema/header-parameters.ts';
export type { Asker, Denial } from './call/admit.ts';
export type { Hook, HookedCall } from './call/hook.ts';
export { encodedJson, resultText, type EncodedJson } from './encoded-json.ts';
export type {
  ApprovalStore,
  AuditActor,
  AuditEntry,
  AuditIntent,
  AuditOutcome,
  AuditTrail,
  Authorizer,
  CallMeasurement,
  Caller,
  ConfirmationClaims,
  Decision,
  IdempotencyStore,
  KeepOptions,
  Logger,
  Place,
  Places,
  RateLimitAnswer,
  RateLimiter,
  RepeatableCall,
  RequestRate,
  Task,
  TaskContext,
  TaskRunner,
  TaskWork,
  Telemetry,
  TraceContext,
  UpstreamCall,
} from './ports.ts';
export { form } from './questions/form.ts';
export { openUrl } from './questions/open-url.ts';
export { roots, type Root } from './questions/roots.ts';
export {
  sampling,
  type SamplingMessage,
  type SamplingRequest,
  type SamplingResult,
} from './questions/sampling.ts';
export type { RequestContext, Watching } from './call/operation.ts';
export { authorize, type AuthorizeOptions } from './call/authorize.ts';
export type { AuditSubject } from './call/audit-intent.ts';
export { recordRefusal, targetOf, type Refusal } from './call/record-refusal.ts';
export { resolveCallLimits, type CallLimits, type PipelineOptions } from './call/pipeline-options.ts';

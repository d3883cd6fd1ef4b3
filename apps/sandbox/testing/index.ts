export { auditOf } from './audit-events.ts';
export { connectClient, sdkClients, type McpClient, type SdkClient, type Target } from './clients.ts';
export { tellDeploymentStory, textOf, type DeploymentStory } from './deployment-story.ts';
export {
  connectFramework,
  frameworks,
  type Framework,
  type FrameworkClient,
  type HttpTarget,
} from './framework-clients.ts';
export { inspect, testInspector } from './inspector.ts';
export {
  runToEnd,
  serverProgram,
  startProgram,
  type Exit,
  type Program,
  type RunningProgram,
} from './program.ts';
export { assertPublic } from './public-text.ts';
export { mcpResource, serverSettings } from './server-settings.ts';

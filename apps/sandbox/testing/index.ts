export { connectClient, sdkClients, type McpClient, type SdkClient, type Target } from './clients.ts';
export { tellDeploymentStory } from './deployment-story.ts';
export { inspect } from './inspector.ts';
export { runToEnd, serverProgram, startProgram, type Program, type RunningProgram } from './program.ts';
export { mcpResource, serverSettings } from './server-settings.ts';
export { assertPublic } from './public-text.ts';

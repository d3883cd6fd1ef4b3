export { createDeploymentTools, type DeploymentToolsOptions } from './deployment-tools.ts';
export { connectPlatform, type Platform, type PlatformOptions } from './platform/platform.ts';
export { deploymentToolsets } from './toolsets.ts';
export { platformOptions, platformSettings } from './platform/platform-settings.ts';
export { deploymentInstructions } from './instructions.ts';
export { deploymentRules, deploymentSettings } from './deployment/rule-settings.ts';
export type { DeploymentRules } from './deployment/rules.ts';

/** What a program needs of the deployment tools before it connects to the platform. */
export { deploymentInstructions } from './instructions.ts';
export { deploymentToolsets } from './toolsets.ts';
export { platformOptions, platformSettings } from './platform/platform-settings.ts';
export { deploymentRules, deploymentSettings } from './deployment/rule-settings.ts';

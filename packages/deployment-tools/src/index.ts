export { createDeploymentTools, type DeploymentToolsOptions } from './deployment-tools.ts';

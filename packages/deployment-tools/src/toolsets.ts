/** The toolsets that the definitions are in: looking at services, and bringing them somewhere. */
export const deploymentToolsets = ['services', 'deployments'] as const;

export { endpointSource } from './endpoint-source.ts';
export { operationNames, type OperationNames } from './operation-names.ts';
export { readOpenApi } from './read-openapi.ts';

export { endpointSource } from './endpoint-source.ts';
export { readOpenApi } from './read-openapi.ts';

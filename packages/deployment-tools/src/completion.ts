import { callOptionsFor, type Client } from '@mcp-parts/resilient-client';
import type { Completer } from '@mcp-parts/tool-kit';

import { environmentSchema } from './deployment/schemas.ts';
import { listServices } from './platform/endpoints.ts';

/** Suggests the services that exist. */
export function serviceCompleter(configuration: Client): Completer {
  return async (prefix, _known, context) => {
    const result = await configuration.call(listServices, {}, callOptionsFor(context));
    if (!result.ok) {
      throw result.error;
    }
    const { services } = result.data;
    return services.map(({ name }) => name).filter((name) => name.startsWith(prefix));
  };
}

/** Suggests the environments. */
export const completeEnvironment: Completer = (prefix) =>
  Promise.resolve(environmentSchema.options.filter((name) => name.startsWith(prefix)));

import { once } from 'node:events';

import { localCaller } from '@mcp-parts/auth';
import { createLogger } from '@mcp-parts/observability';
import * as kit from '@mcp-parts/server-kit';
import { z } from 'zod';

import { connectBackend } from './backend.ts';
import { createTickets } from './tickets.ts';

const serverInfo = { name: 'tickets', version: '1.0.0' };
const settings = {
  ...kit.authenticationSettings,
  ...kit.httpSettings,
  ...kit.commonSettings,
  TRANSPORT: { description: 'http or stdio', schema: z.enum(['http', 'stdio']).default('http') },
  TICKETS_URL: { description: 'The tickets service', schema: z.url() },
  TICKETS_TOKEN_URL: { description: 'Where this server gets its token', schema: z.url() },
  TICKETS_CLIENT_ID: { description: 'Its name there', schema: z.string() },
  TICKETS_CLIENT_SECRET: { description: 'Its secret there', schema: z.string(), secret: true },
} satisfies kit.Settings;

await kit.runCommand(
  {
    ...serverInfo,
    description: 'Tickets for models.',
    settings,
    check: (config) => [...kit.checkHttpSettings(config), ...kit.checkAuthenticationSettings(config)],
    createLogger: ({ LOG_LEVEL }) => createLogger({ name: 'tickets', level: LOG_LEVEL }),
    async run(config, { logger, signal }) {
      await using authentication = await kit.openAuthentication(config, logger);
      await using backend = connectBackend({
        baseUrl: config.TICKETS_URL,
        tokenUrl: config.TICKETS_TOKEN_URL,
        clientId: config.TICKETS_CLIENT_ID,
        clientSecret: config.TICKETS_CLIENT_SECRET,
      });
      await using server = await kit.assembleServer({
        serverInfo,
        definitions: createTickets(backend),
        authorizer: authentication.authorizer,
        logger,
        stateDirectory: config.STATE_DIRECTORY,
      });
      if (config.TRANSPORT === 'stdio') {
        const caller = localCaller({ name: 'me', permissions: ['tickets:read'] });
        return await kit.serveStdio(server, { caller });
      }
      const gate = authentication.gate(['tickets:read']);
      await using http = await kit.serveHttp(server, { ...kit.httpOptions(config), gate });
      logger.info({ url: http.url }, 'listening');
      return void (await once(signal, 'abort'));
    },
  },
  { argv: process.argv.slice(2), environment: process.env },
);

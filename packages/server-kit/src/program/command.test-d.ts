import { createLogger } from '@mcp-parts/observability';
import { describe, expectTypeOf, it } from 'vitest';
import { z } from 'zod';

import {
  authenticationSettings,
  checkAuthenticationSettings,
  commonSettings,
  runCommand,
  type Command,
} from '../index.ts';

const settings = {
  ...commonSettings,
  ...authenticationSettings,
  REGION: { description: 'Where it runs', schema: z.enum(['north', 'south']) },
};

describe('runCommand', () => {
  it('takes the settings from settings alone, whatever the other members ask for', () => {
    const command: Command<typeof settings> = {
      name: 'test',
      version: '1.0.0',
      description: 'A test.',
      settings,
      check: checkAuthenticationSettings,
      createLogger: ({ LOG_LEVEL }) => createLogger({ name: 'test', level: LOG_LEVEL }),
      run: async (config) => {
        expectTypeOf(config.REGION).toEqualTypeOf<'north' | 'south'>();
      },
    };
    void (() =>
      runCommand(
        {
          ...command,
          settings,
          check: checkAuthenticationSettings,
          terminationGraceMs: ({ TERMINATION_GRACE_MS }) => TERMINATION_GRACE_MS,
          createLogger: ({ LOG_LEVEL }: { LOG_LEVEL: 'debug' | 'info' | 'warn' | 'error' | 'silent' }) =>
            createLogger({ name: 'test', level: LOG_LEVEL }),
          run: async (config) => {
            expectTypeOf(config.REGION).toEqualTypeOf<'north' | 'south'>();
            expectTypeOf(config.RATE_LIMIT_PER_MINUTE).toEqualTypeOf<number>();
          },
        },
        { argv: [], environment: {} },
      ));
  });
});

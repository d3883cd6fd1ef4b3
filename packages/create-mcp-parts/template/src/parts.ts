import type { Settings, SettingValues } from '@mcp-parts/server-kit';

import { createTickets, type Tickets } from './tickets.ts';

/** The environment variables of what the tools work with. */
export const partSettings = {} satisfies Settings;

/** What the tools work with. */
export interface Parts {
  readonly tickets: Tickets;
}

/** Opens the parts, lets `use` have them, and closes them. */
export async function withParts(
  _settings: SettingValues<typeof partSettings>,
  use: (parts: Parts) => Promise<void>,
): Promise<void> {
  const tickets = createTickets();
  await use({ tickets });
}

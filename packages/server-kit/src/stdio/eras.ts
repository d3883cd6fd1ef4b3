import type { BindingOptions, Logger, MethodTable } from '@mcp-parts/tool-kit';

import type { Era } from './era.ts';
import type { Channel, ChannelPort } from './wire/channel.ts';

/** Makes the server of an era for one connection. */
type Connect = (
  table: MethodTable,
  binding: BindingOptions,
  port: ChannelPort,
  logger: Logger,
) => Promise<Channel>;

/** The eras that stdio serves, a line each; the SDK of one is loaded when the first message is for it. */
export const eras: Readonly<Partial<Record<Era, () => Promise<Connect>>>> = {
  2025: async () => (await import('../era-2025/connect-stdio.ts')).connect2025,
  2026: async () => (await import('../era-2026/connect-stdio.ts')).connect2026,
};

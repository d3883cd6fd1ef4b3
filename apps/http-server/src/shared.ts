import type { SharedRedis } from '@mcp-parts/redis';
import { redisOptions, type redisSettings, type SettingValues } from '@mcp-parts/server-kit';
import type { Logger } from '@mcp-parts/tool-kit';

/** What the replicas share, where `REDIS_URL` says that there are some. */
export async function openShared(
  config: SettingValues<typeof redisSettings>,
  logger: Logger,
): Promise<SharedRedis | undefined> {
  const options = redisOptions(config);
  if (options === undefined) {
    return undefined;
  }
  // A server on its own does not load it.
  const { openRedis } = await import('@mcp-parts/redis');
  return openRedis({ ...options, logger });
}

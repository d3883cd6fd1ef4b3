import { openRedis, type SharedRedis } from '@mcp-parts/redis';
import { redisOptions, type redisSettings, type SettingValues } from '@mcp-parts/server-kit';
import type { Logger } from '@mcp-parts/tool-kit';

/** What the replicas share, where `REDIS_URL` says that there are some. */
export async function openShared(
  settings: SettingValues<typeof redisSettings>,
  logger: Logger,
): Promise<SharedRedis | undefined> {
  const options = redisOptions(settings);
  return options && openRedis({ ...options, logger });
}

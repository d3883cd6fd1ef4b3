import { authenticationSettings, unauthenticatedAccess, type SettingValues } from '@mcp-parts/server-kit';
import type { Logger } from '@mcp-parts/tool-kit';

/** The environment variables that say who may call. */
export const accessSettings = { POLICY_FILE: authenticationSettings.POLICY_FILE };

/** What everybody may do who reaches the port. */
const PERMISSIONS = ['tickets:read'];

/** Nothing to check: nobody is asked who they are. */
export function checkAccess(_settings: object): readonly string[] {
  return [];
}

/** Nobody is asked who they are, so the server listens on loopback only, and nothing can be changed. */
export async function openAccess(
  settings: SettingValues<typeof accessSettings>,
  logger: Logger,
  _parts: object,
) {
  const { authorizer, ages, gate } = await unauthenticatedAccess(settings, PERMISSIONS, logger);
  return { server: { authorizer, ages }, gate, [Symbol.asyncDispose]: async () => {} };
}

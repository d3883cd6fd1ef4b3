import {
  authenticationSettings,
  openAuthentication,
  type AuthenticationParts,
  type SettingValues,
} from '@mcp-parts/server-kit';
import type { Logger } from '@mcp-parts/tool-kit';

export { checkAuthenticationSettings as checkAccess } from '@mcp-parts/server-kit';

/** The environment variables that say who may call. */
export const accessSettings = authenticationSettings;

/** What a client asks for first; it is asked for more when a call needs more. */
const BASIC_SCOPES = ['tickets:read'];

/** Callers prove who they are by an access token, and the policy says what they may do. */
export async function openAccess(
  settings: SettingValues<typeof accessSettings>,
  logger: Logger,
  parts: AuthenticationParts,
) {
  const authentication = await openAuthentication(settings, logger, parts);
  const { authorizer, ages, rights } = authentication;
  return {
    server: { authorizer, ages, rights },
    gate: authentication.gate(BASIC_SCOPES),
    [Symbol.asyncDispose]: () => authentication[Symbol.asyncDispose](),
  };
}

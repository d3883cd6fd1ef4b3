import { isLoopbackHost } from '../../loopback.ts';
import type { authenticationSettings } from '../common-settings.ts';
import type { SettingValues } from '../settings.ts';
import { checkTokenSettings } from './token-verification.ts';

/** What is wrong with settings that are right one by one; for `check` of `runCommand`. */
export function checkAuthenticationSettings(
  settings: SettingValues<typeof authenticationSettings>,
): readonly string[] {
  const server = settings.AUTH_AUTHORIZATION_SERVER ?? settings.AUTH_ISSUER;
  const isName =
    URL.parse(server)?.protocol === 'http:' &&
    !isLoopbackHost(new URL(server).hostname.replaceAll(/[[\]]/gu, ''));
  return [
    ...(isName
      ? ['AUTH_AUTHORIZATION_SERVER is required and must use https, because AUTH_ISSUER does not']
      : []),
    ...checkTokenSettings(settings),
  ];
}

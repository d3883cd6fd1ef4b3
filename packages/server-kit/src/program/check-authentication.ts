import type { authenticationSettings } from './common-settings.ts';
import type { SettingValues } from './settings.ts';

/** What is wrong with settings that are right one by one; for `check` of `runCommand`. */
export function checkAuthenticationSettings(
  settings: SettingValues<typeof authenticationSettings>,
): readonly string[] {
  const introspection = [
    settings.AUTH_INTROSPECTION_URL,
    settings.AUTH_INTROSPECTION_CLIENT_ID,
    settings.AUTH_INTROSPECTION_CLIENT_SECRET,
  ];
  const given = introspection.filter((value) => value !== undefined).length;
  return given === 0 || given === introspection.length
    ? []
    : ['AUTH_INTROSPECTION_URL, _CLIENT_ID and _CLIENT_SECRET need each other: set all three or none'];
}

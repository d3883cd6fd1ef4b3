/** What a program on stdio needs to answer its client, and nothing of what its server needs: loads in a fraction of the time. */
export { runCommand, type Command, type Invocation } from './program/command.ts';
export { catalogSettings } from './program/catalog-settings.ts';
export { authenticationSettings, commonSettings } from './program/common-settings.ts';
export type { Setting, Settings, SettingValues } from './program/settings.ts';
export { openStdio, type StdioCaller, type StdioConnection } from './stdio/open-stdio.ts';
export type { StdioLimits, StdioOptions } from './stdio/stdio-options.ts';

/** How a contender is spoken to: in a session of 2025-11-25, without one, or in 2026-07-28. */
export type Wire = 'session' | 'stateless' | '2026';

/** What a caller shows: nothing, one token in all its calls, or a token that was never used before in each call. */
type Token = 'none' | 'one' | 'fresh';

/** Which program of `servers/` a process runs. */
export type ServerName =
  | 'floor'
  | 'sdk-1-session'
  | 'sdk-1-stateless'
  | 'sdk-2'
  | 'fastmcp'
  | 'production'
  | 'ours-bare'
  | 'ours-no-token'
  | 'ours-everything'
  | 'ours-soak';

/** One server and the way it is called. */
export interface Contender {
  readonly name: string;
  readonly server: ServerName;
  readonly wire: Wire;
  readonly token: Token;
}

/** Reads the body and answers fixed JSON: what HTTP in Node costs by itself. */
export const FLOOR = 'floor (node:http)';
/** The SDK that most servers run on, with nothing around it. */
export const SDK_1 = 'SDK 1.32 session';
/** What teams put together from the SDK's example and the usual middleware. */
export const PRODUCTION = 'production composition (express)';
export const BARE = 'ours table alone';
const BARE_SESSION = 'ours table alone session';
export const NO_TOKEN = 'ours no token';
const NO_TOKEN_SESSION = 'ours no token session';
export const EVERYTHING = 'ours everything';
export const EVERYTHING_SESSION = 'ours everything session';
export const EVERY_SIGNATURE = 'ours everything a new token each call';

/** All that are compared. */
export const contenders: readonly Contender[] = [
  { name: FLOOR, server: 'floor', wire: 'stateless', token: 'none' },
  { name: SDK_1, server: 'sdk-1-session', wire: 'session', token: 'none' },
  { name: 'SDK 1.32 stateless', server: 'sdk-1-stateless', wire: 'stateless', token: 'none' },
  { name: 'SDK 2.4', server: 'sdk-2', wire: '2026', token: 'none' },
  { name: 'fastmcp 4 session', server: 'fastmcp', wire: 'session', token: 'none' },
  { name: PRODUCTION, server: 'production', wire: 'stateless', token: 'one' },
  { name: BARE, server: 'ours-bare', wire: '2026', token: 'none' },
  { name: BARE_SESSION, server: 'ours-bare', wire: 'session', token: 'none' },
  { name: NO_TOKEN, server: 'ours-no-token', wire: '2026', token: 'none' },
  { name: NO_TOKEN_SESSION, server: 'ours-no-token', wire: 'session', token: 'none' },
  { name: EVERYTHING, server: 'ours-everything', wire: '2026', token: 'one' },
  { name: EVERYTHING_SESSION, server: 'ours-everything', wire: 'session', token: 'one' },
  { name: EVERY_SIGNATURE, server: 'ours-everything', wire: '2026', token: 'fresh' },
];

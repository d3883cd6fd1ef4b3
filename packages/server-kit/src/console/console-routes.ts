import type { IncomingMessage, ServerResponse } from 'node:http';

import { answerText } from '../app/answer-text.ts';
import type { Server } from '../assemble.ts';
import { createAddressLimit } from '../limits/address-limit.ts';
import { page, script, signIn as signInTemplate, style } from './assets.ts';
import { createConsoleAccess } from './console-access.ts';
import { readConsoleState } from './read-state.ts';

const HOME = '/console';
const MAX_FORM_BYTES = 4_096;
/** Nobody mistypes a token more often, and each try is a line of the log. */
const MAX_TRIES_PER_MINUTE = 10;
/** The page runs the server's own script and style, speaks to this server alone, and no page may frame it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Answers one request for the operator's page. */
export type ConsoleRoute = (
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  request: IncomingMessage,
) => Promise<void>;

/** Who may see the page. */
export interface ConsoleOptions {
  /** @default whoever reaches the port, which then is on loopback */
  readonly operatorToken: string | undefined;
  readonly isClosing: () => boolean;
}

/** The operator's page, which only reads: by method and path. */
export function createConsoleRoutes(
  server: Server,
  { operatorToken, isClosing }: ConsoleOptions,
): Readonly<Record<'GET' | 'POST', Readonly<Record<string, ConsoleRoute>>>> {
  const access = operatorToken === undefined ? undefined : createConsoleAccess(operatorToken);
  const isOperator = (request: IncomingMessage) => access === undefined || access.isOperator(request);

  const file =
    (type: string, text: string): ConsoleRoute =>
    async (response, headers) =>
      answerText(response, 200, text, { ...headers, 'content-type': type });

  const home: ConsoleRoute = async (response, headers, request) => {
    const [status, text] = isOperator(request) ? ([200, page] as const) : ([401, signInPage('')] as const);
    answerText(response, status, text, { ...headers, ...htmlHeaders });
  };

  const state: ConsoleRoute = async (response, headers, request) => {
    if (!isOperator(request)) {
      answerText(response, 401, JSON.stringify({ error: 'not_signed_in' }), headers);
      return;
    }
    const now = { isClosing: isClosing(), isSignedIn: access !== undefined };
    answerText(response, 200, JSON.stringify(await readConsoleState(server, now)), headers);
  };

  const tries = createAddressLimit(MAX_TRIES_PER_MINUTE, () => performance.now());
  const signIn: ConsoleRoute = async (response, headers, request) => {
    const { remoteAddress: sourceAddress } = request.socket;
    const refuse = (status: number, message: string) =>
      answerText(response, status, signInPage(message), { ...headers, ...htmlHeaders });
    const form = await readForm(request);
    if (form === undefined) {
      return;
    }
    if (tries.waitMs(sourceAddress) > 0) {
      refuse(429, 'Too many wrong tokens: wait a minute.');
      return;
    }
    const cookie = access?.signIn(form.get('token') ?? '');
    if (access !== undefined && cookie === undefined) {
      tries.refused(sourceAddress);
      server.logger.warn({ sourceAddress }, 'operator not let in');
      refuse(401, 'That is not the token of this server.');
      return;
    }
    leadHome(response, headers, cookie);
  };

  /** A form that another site sends would sign somebody out, or in as somebody else. */
  const ownForm =
    (route: ConsoleRoute): ConsoleRoute =>
    async (response, headers, request) => {
      const site = request.headers['sec-fetch-site'] ?? 'none';
      if (site === 'same-origin' || site === 'none') {
        await route(response, headers, request);
      } else {
        request.resume();
        answerText(response, 403, JSON.stringify({ error: 'wrong_origin' }), headers);
      }
    };

  return {
    GET: {
      [HOME]: home,
      [`${HOME}/console.js`]: file('text/javascript; charset=utf-8', script),
      [`${HOME}/console.css`]: file('text/css; charset=utf-8', style),
      [`${HOME}/state`]: state,
    },
    POST: {
      [`${HOME}/sign-in`]: ownForm(signIn),
      [`${HOME}/sign-out`]: ownForm(async (response, headers, request) => {
        request.resume();
        leadHome(response, headers, access?.signOut);
      }),
    },
  };
}

const htmlHeaders = { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': POLICY };

/** Messages are constant: nothing that somebody sent gets into the page. */
function signInPage(message: string): string {
  return signInTemplate.replace('<!-- message -->', message);
}

/** Without a body: after a form, the browser asks for the page again. */
function leadHome(
  response: ServerResponse,
  headers: Readonly<Record<string, string>>,
  cookie: string | undefined,
): void {
  answerText(response, 303, '', { ...headers, location: HOME, ...(cookie && { 'set-cookie': cookie }) });
}

/** The fields of a form, none of one that is longer than ours can be; `undefined` when its sender has gone. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  let text = '';
  let length = 0;
  try {
    for await (const chunk of request.setEncoding('utf8') as AsyncIterable<string>) {
      length += chunk.length;
      // What is too long is read to its end all the same, for about as long as a request may take: else nobody hears why.
      text = length > MAX_FORM_BYTES ? '' : text + chunk;
    }
  } catch {
    return undefined;
  }
  return new URLSearchParams(text);
}

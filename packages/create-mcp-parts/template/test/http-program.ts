import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

import { backendEnvironment, pathOf, stateDirectory } from './program.ts';

/** Starts the server on a free port, with the policy of this project. */
export async function startHttp(environment: Readonly<Record<string, string>>) {
  const state = await stateDirectory();
  const program = spawn(process.execPath, [pathOf('dist/http.js')], {
    env: {
      ...backendEnvironment,
      STATE_DIRECTORY: state.path,
      POLICY_FILE: pathOf('policy.yaml'),
      PORT: '0',
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exit = once(program, 'exit');
  const url = await listening(createInterface(program.stderr));
  return {
    url,
    /** Connects a client that sends this token, if there is one. */
    async connect(token?: string) {
      const client = new Client({ name: 'a-client', version: '1.0.0' });
      const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
      await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
      return client;
    },
    async [Symbol.asyncDispose]() {
      program.kill();
      await exit;
      await state[Symbol.asyncDispose]();
    },
  };
}

async function listening(lines: AsyncIterable<string>): Promise<string> {
  const said: string[] = [];
  for await (const line of lines) {
    said.push(line);
    const url = /"url":"([^"]+)"/u.exec(line)?.[1];
    if (url !== undefined) {
      return url;
    }
  }
  throw new Error(`The server did not start:\n${said.join('\n')}`);
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort } from '@mcp-parts/test-services';

/** A load balancer in front of replicas, as docs/operations/rollout.md has it. */
export interface Nginx extends AsyncDisposable {
  readonly url: string;
}

/** Starts nginx on a free port; what it is configured with is the block of the page. */
export async function startNginx(
  executable: string,
  { block, ports }: { readonly block: string; readonly ports: readonly number[] },
): Promise<Nginx> {
  const directory = await mkdtemp(join(tmpdir(), 'mcp-nginx-'));
  const port = await freePort();
  const servers = ports.map((one) => `server 127.0.0.1:${one} max_fails=0;`).join('\n');
  const http = block.replace(/^ *server replica-.*$/gmu, '').replace('# replicas', servers);
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const configuration = `daemon off;
worker_processes 1;
error_log stderr crit;
pid ${directory}/nginx.pid;
events {}
http {
  access_log off;
  ${paths.map((name) => `${name}_temp_path ${directory}/${name};`).join('\n  ')}
  ${http.replace('listen 8443', `listen 127.0.0.1:${port}`)}
}
`;
  const file = join(directory, 'nginx.conf');
  await writeFile(file, configuration);
  const child = spawn(executable, ['-c', file, '-p', directory], { stdio: ['ignore', 'ignore', 'inherit'] });
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    try {
      await fetch(`${url}/health`);
      break;
    } catch (error) {
      if (child.exitCode !== null) {
        throw new Error('nginx did not start', { cause: error });
      }
    }
  }
  return {
    url,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null) {
        child.kill('SIGTERM');
        await once(child, 'exit');
      }
      await rm(directory, { recursive: true });
    },
  };
}

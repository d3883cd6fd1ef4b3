import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import { expect, it } from 'vitest';

const fixture = fileURLToPath(new URL('unread-log.fixture.ts', import.meta.url));

it.skipIf(process.platform === 'win32').each([
  ['a socket', [fixture]],
  // A shell makes a pipe, which behaves unlike the socket pair that Node makes.
  ['a pipe', undefined],
] as const)(
  'goes on when nobody reads standard error (%s), and says how many lines that cost',
  async (_, args) => {
    const node = `"${process.execPath}" --disable-warning=ExperimentalWarning "${fixture}"`;
    // The reader of the pipe waits for a byte on its descriptor 3 before it reads.
    const shell = `{ ${node} 2>&1 1>&4 4>&- | { head -c 1 <&3 >/dev/null; cat >&2; }; } 4>&1`;
    const child =
      args === undefined
        ? spawn('sh', ['-c', shell], { stdio: ['pipe', 'pipe', 'pipe', 'pipe'] })
        : spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
            stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
          });
    const { stdin, stdout, stderr } = child;
    const said = once(stdout, 'data');
    expect(String((await said)[0])).toBe('logged\n');
    const alive = once(stdout, 'data');
    stdin.write('go\n');
    expect(String((await alive)[0])).toBe('alive\n');

    const gate = child.stdio[3];
    if (gate !== null && gate !== undefined && 'write' in gate) {
      gate.on('error', () => {});
      gate.write('x');
    }
    let log = '';
    stderr.setEncoding('utf8');
    for await (const chunk of stderr) {
      log += String(chunk);
      if (/"droppedLines":\d+[\s\S]*"after"/u.test(log)) {
        stdin.write('end\n');
        break;
      }
    }
    await text(stdout);
    const records = log
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const kept = records.filter(({ msg }) => msg === 'line');
    const [note] = records.filter(({ droppedLines }) => droppedLines !== undefined);
    expect(kept.length + Number(note?.['droppedLines'])).toBeGreaterThanOrEqual(20_000);
    expect(kept.map(({ line }) => line)).toEqual(kept.map((__, index) => index));
  },
);

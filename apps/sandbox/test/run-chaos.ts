import { runChaos } from './chaos.ts';

const report = await runChaos({ callers: 16, rounds: 60, roundMs: 1_000 });
process.stderr.write(`${JSON.stringify(report, undefined, 2)}\n`);

const wrongs = [
  ...report.unhandledRejections.map(() => 'an unhandled rejection'),
  ...report.writtenTwice.map((name) => `written twice: ${name}`),
  ...report.repeatedWithoutKey.map((key) => `repeated without a key: ${key}`),
  ...(report.timersLeft > 0 ? [`${report.timersLeft} timers left`] : []),
  ...(report.socketsLeft > 0 ? [`${report.socketsLeft} sockets left`] : []),
  ...[...report.whileDown, report]
    .filter(({ calls, attempts }) => attempts > 1.2 * calls + 10)
    .map(({ calls, attempts }) => `${attempts} requests for ${calls} calls`),
];
if (wrongs.length > 0) {
  process.stderr.write(`${wrongs.join('\n')}\n`);
  process.exitCode = 1;
}

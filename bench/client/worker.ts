import { createContender, type Contender, type ContenderName } from './contenders.ts';

/** Asks for one slice of work: `concurrency` loops of calls, `forMs` long, after a warm-up. */
export interface SliceRequest {
  readonly concurrency: number;
  readonly warmUpMs: number;
  readonly forMs: number;
}

/** What came of it. */
export interface Slice {
  readonly calls: number;
  readonly callsPerSecond: number;
  readonly cpuMicrosPerCall: number;
  readonly latenciesMs: readonly number[];
}

// One contender to a process: no shared heap, no shared inline caches, and undici 8 does not replace ky's fetch.
const [, , name = '', baseUrl = ''] = process.argv;
const call = await createContender(name as ContenderName, baseUrl);
process.on('message', (request: SliceRequest) => {
  void measure(call, request).then((slice) => process.send?.(slice));
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

async function measure(call: Contender, { concurrency, warmUpMs, forMs }: SliceRequest): Promise<Slice> {
  await loop(call, concurrency, warmUpMs, () => {});
  const latenciesMs: number[] = [];
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await loop(call, concurrency, forMs, (latencyMs) => latenciesMs.push(latencyMs));
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const calls = latenciesMs.length;
  return { calls, callsPerSecond: calls / seconds, cpuMicrosPerCall: (user + system) / calls, latenciesMs };
}

async function loop(
  call: Contender,
  concurrency: number,
  forMs: number,
  onCall: (latencyMs: number) => void,
): Promise<void> {
  const until = performance.now() + forMs;
  const worker = async () => {
    for (let at = performance.now(); at < until;) {
      await call('thing-1');
      const now = performance.now();
      onCall(now - at);
      at = now;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

import { createCollectorSink, openAuditTrail } from '../src/index.ts';
import { intent } from './fixtures.ts';

const [directory = '', collectorUrl = ''] = process.argv.slice(2);
const trail = await openAuditTrail({
  directory,
  sinks: collectorUrl === '' ? [] : [createCollectorSink({ url: collectorUrl })],
  server: { name: 'writer', version: '1.0.0' },
  deliveryIntervalMs: 20,
  segmentBytes: 64 * 1024,
});

async function callWithoutEnd(): Promise<never> {
  for (;;) {
    const entry = await trail.begin(intent());
    process.stdout.write(`${entry.id}\n`);
    await entry.finish({ result: 'success', durationMs: 1 });
  }
}

await Promise.all(Array.from({ length: 16 }, callWithoutEnd));

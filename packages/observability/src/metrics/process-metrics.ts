import { readdirSync, readFileSync } from 'node:fs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

import type { Meter } from '@opentelemetry/api';

const NS_PER_S = 1e9;
const US_PER_S = 1e6;
const SELF_DESCRIPTORS = '/proc/self/fd';

/**
 * Observes this process under the names of the OpenTelemetry conventions for processes, Node.js and V8. The delays of the
 * event loop are those since the last reading. Returns what stops it.
 */
export function observeProcess(meter: Meter): () => void {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  let lastUtilization = performance.eventLoopUtilization();

  meter
    .createObservableCounter('process.cpu.time', { description: 'CPU seconds used.', unit: 's' })
    .addCallback((result) => {
      const { user, system } = process.cpuUsage();
      result.observe(user / US_PER_S, { 'cpu.mode': 'user' });
      result.observe(system / US_PER_S, { 'cpu.mode': 'system' });
    });
  const gauge = (name: string, unit: string, description: string, read: () => number | undefined) => {
    meter.createObservableGauge(name, { description, unit }).addCallback((result) => {
      const value = read();
      if (value !== undefined && Number.isFinite(value)) {
        result.observe(value);
      }
    });
  };
  gauge('process.memory.usage', 'By', 'Resident memory.', () => process.memoryUsage.rss());
  gauge('process.uptime', 's', 'Seconds since the process started.', () => process.uptime());
  // Not process.unix.file_descriptor.count: to Prometheus a name that ends so belongs to a histogram.
  gauge(
    'mcp_parts.process.file_descriptor.open',
    '{file_descriptor}',
    'Open file descriptors.',
    openDescriptors,
  );
  const most = mostDescriptors();
  gauge(
    'mcp_parts.process.file_descriptor.limit',
    '{file_descriptor}',
    'File descriptors that may be open.',
    () => most,
  );
  gauge('v8js.memory.heap.used', 'By', 'Heap in use.', () => getHeapStatistics().used_heap_size);
  gauge(
    'v8js.memory.heap.limit',
    'By',
    'Heap at which the process ends.',
    () => getHeapStatistics().heap_size_limit,
  );
  gauge('nodejs.eventloop.utilization', '1', 'Share of time that the event loop was busy.', () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, lastUtilization);
    lastUtilization = now;
    return utilization;
  });
  gauge(
    'nodejs.eventloop.delay.p99',
    's',
    '99th percentile of the event loop delay.',
    () => delay.percentile(99) / NS_PER_S,
  );
  // Read last, in the order of registration, so that it may start the next interval.
  gauge('nodejs.eventloop.delay.max', 's', 'Longest event loop delay.', () => {
    const longest = delay.max / NS_PER_S;
    delay.reset();
    return longest;
  });
  return () => {
    delay.disable();
  };
}

/** Only Linux lists them. */
function openDescriptors(): number | undefined {
  try {
    return readdirSync(SELF_DESCRIPTORS).length;
  } catch {
    return undefined;
  }
}

/** The soft limit, which stays what it was at the start. */
function mostDescriptors(): number | undefined {
  try {
    return Number(/^Max open files\s+(\d+)/mu.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { withCompressedSegments } from '../src/disk/compressed-segments.ts';
import { nodeFileSystem, readIfPresent } from '../src/disk/file-system.ts';
import { platformFiles } from '../src/disk/platform-files.ts';
import {
  auditEventSchema,
  type AuditEvent,
  type AuditIntent,
  type AuditTrailOptions,
  type SetTimer,
} from '../src/index.ts';

/** The modes of what only its owner may read, where there are modes. */
export const PRIVATE_FILE_MODE = platformFiles.hasModes ? 0o600 : 0o666;
export const PRIVATE_DIRECTORY_MODE = platformFiles.hasModes ? 0o700 : 0o666;

/** A complete intent; `overrides` replaces fields. */
export function intent(overrides: Partial<AuditIntent> = {}): AuditIntent {
  return {
    actor: { id: 'https://issuer.test#user-1', kind: 'user', email: 'dev@issuer.test', groups: ['platform'] },
    action: 'tools/call',
    target: 'trigger_deployment',
    resource: 'payment-service/staging',
    arguments: { service: 'payment-service' },
    correlationId: 'correlation-1',
    transport: 'http',
    era: '2026',
    client: { name: 'test-client', version: '1.0.0' },
    sourceAddress: '127.0.0.1',
    urgent: false,
    ...overrides,
  };
}

/** A clock, and what a trail does each minute, in the hands of a test. */
export function clock() {
  let now = 1_800_000_000_000;
  const waiting = new Set<() => void>();
  const setTimer: SetTimer = (callback, delayMs) => {
    if (delayMs !== 60_000) {
      return () => {};
    }
    waiting.add(callback);
    return () => waiting.delete(callback);
  };
  return {
    now: () => now,
    setTimer,
    get isWaiting() {
      return waiting.size > 0;
    },
    advance(ms: number) {
      now += ms;
      const due = [...waiting];
      waiting.clear();
      due.forEach((callback) => callback());
    },
  };
}

/** A directory that is removed when it goes out of scope. */
export async function temporaryDirectory(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'audit-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** The options every test starts from: no sinks, and timers that never fire. */
export function options(directory: string): AuditTrailOptions {
  return {
    directory,
    sinks: [],
    server: { name: 'test-server', version: '1.2.3' },
    reserveBytes: 4096,
    minFreeBytes: 1,
    // Tests read and change what is in them.
    compressSegments: false,
    setTimer: () => () => {},
  };
}

/** The segment files of a trail, oldest first. */
export async function segmentFiles(directory: string): Promise<string[]> {
  const names = await readdir(directory);
  return names
    .filter((name) => name.endsWith('.jsonl'))
    .toSorted()
    .map((name) => join(directory, name));
}

/** All events stored in a directory, in order, each checked against the public schema. */
export async function storedEvents(directory: string): Promise<AuditEvent[]> {
  const fileSystem = withCompressedSegments(nodeFileSystem);
  const names = (await fileSystem.list(directory)).filter((name) => name.endsWith('.jsonl')).toSorted();
  const texts = await Promise.all(names.map((name) => readIfPresent(fileSystem, directory, name)));
  return texts
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => {
      const record = JSON.parse(line) as { event?: unknown };
      return record.event === undefined ? [] : [auditEventSchema.parse(record.event)];
    });
}

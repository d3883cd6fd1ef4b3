import { generateKeyPairSync } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { pino } from 'pino';
import { describe, expect, it } from 'vitest';

import { nodeFileSystem } from '../src/disk/file-system.ts';
import {
  AuditError,
  createProtectedTrail,
  createTrailAdoption,
  openAuditTrail,
  type AuditFileSystem,
  type AuditSink,
  type AuditTrailOptions,
  type Logger,
} from '../src/index.ts';
import { intent, options, segmentFiles, temporaryDirectory } from './fixtures.ts';
import { manualTimers } from './manual-timers.ts';

const CAUSE = 'the cause in full';
const success = { result: 'success', durationMs: 1 } as const;

interface Scene {
  readonly path: string;
  readonly logger: Logger;
  /** Resolves when a line with the message under test was logged. */
  readonly logged: () => Promise<void>;
}

/** The machine's file system, but for what is refused. */
function refusing(isRefused: (operation: string, path: string) => boolean, code = 'EIO'): AuditFileSystem {
  function check(operation: string, path: string): void {
    if (isRefused(operation, path)) {
      throw Object.assign(new Error(CAUSE), { code });
    }
  }
  return {
    ...nodeFileSystem,
    async open(path, mode) {
      check('open', path);
      const file = await nodeFileSystem.open(path, mode);
      return {
        ...file,
        async writeDurably(bytes, offset) {
          check('write', path);
          await file.writeDurably(bytes, offset);
        },
        async truncate(sizeBytes) {
          check('truncate', path);
          await file.truncate(sizeBytes);
        },
        async close() {
          await file.close();
          check('close', path);
        },
      };
    },
    async remove(path) {
      check('remove', path);
      await nodeFileSystem.remove(path);
    },
    async freeBytes(path) {
      check('free', path);
      return Infinity;
    },
  };
}

/** Opens a trail, makes a call that may be refused, waits for the line, and closes it. */
async function call({ path, logger, logged }: Scene, given: Partial<AuditTrailOptions> = {}): Promise<void> {
  const settings = { ...options(path), setTimer: undefined, closeTimeoutMs: 1, logger, ...given };
  await using trail = await openAuditTrail(settings);
  const entry = await trail.begin(intent({ urgent: true })).catch(() => undefined);
  await entry?.finish({ result: 'success', durationMs: 1 }).catch(() => undefined);
  await logged();
}

function sinkThat(deliver: AuditSink['deliver']): Partial<AuditTrailOptions> {
  return { sinks: [{ name: 'memory', takesCheckpoints: true, deliver }], checkpointEvents: 1 };
}

const isSegment = (path: string): boolean => path.endsWith('.jsonl');
const taken = async (): Promise<void> => undefined;

/** What makes each line of the log with a cause. */
const scenes: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  'audit reserve not taken': (scene) =>
    call(scene, {
      fileSystem: refusing((operation, path) => operation === 'open' && path.endsWith('reserve')),
    }),
  'audit maintenance failed': (scene) =>
    call(scene, { fileSystem: refusing((operation) => operation === 'free') }),
  'audit commit failed': (scene) =>
    call(scene, { fileSystem: refusing((operation) => operation === 'write') }),
  async 'audit refusal counted, not recorded'({ path, logger, logged }) {
    const fileSystem = refusing((operation) => operation === 'write');
    await using trail = await openAuditTrail({ ...options(path), logger, fileSystem });
    await trail.refuse(intent(), { result: 'denied', durationMs: 1 });
    await logged();
  },
  'audit anchor not kept': (scene) =>
    call(scene, {
      anchors: [{ name: 'keeper', keepAnchor: () => Promise.reject(new Error(CAUSE)) }],
      checkpointEvents: 1,
    }),
  async 'audit anchor not read'(scene) {
    {
      await using trail = await openAuditTrail(options(scene.path));
      await trail.begin(intent());
    }
    const latestAnchor = (): Promise<never> => Promise.reject(new Error(CAUSE));
    await call(scene, { anchors: [{ name: 'keeper', keepAnchor: async () => {}, latestAnchor }] });
  },
  'audit trail not signed': (scene) => {
    const { publicKey } = generateKeyPairSync('ed25519');
    return call(scene, { signingKey: { publicKey, sign: () => Promise.reject(new Error(CAUSE)) } });
  },
  'audit trail lost': (scene) => {
    const isFoundNoMore = (): never => {
      throw new Error(CAUSE);
    };
    const open: AuditFileSystem['open'] = async (path, mode) => {
      const file = await nodeFileSystem.open(path, mode);
      return mode === 'create' ? { ...file, sizeAtPath: isFoundNoMore } : file;
    };
    return call(scene, { fileSystem: { ...nodeFileSystem, open } });
  },
  async 'audit trail not closed'(scene) {
    const open: AuditFileSystem['open'] = async (path, mode) => {
      const file = await nodeFileSystem.open(path, mode);
      const close = async (): Promise<void> => {
        await file.close();
        throw new Error(CAUSE);
      };
      return mode === 'create' ? { ...file, close } : file;
    };
    const settings = { ...options(scene.path), logger: scene.logger };
    const trail = await openAuditTrail({ ...settings, fileSystem: { ...nodeFileSystem, open } });
    await trail.begin(intent());
    await trail.close();
    await scene.logged();
  },
  'audit segment not compressed': (scene) =>
    call(scene, {
      compressSegments: true,
      segmentBytes: 1,
      checkpointEvents: 1,
      fileSystem: refusing((operation, path) => operation === 'open' && path.endsWith('.zst.tmp')),
    }),
  'audit segment not truncated': (scene) =>
    call(scene, {
      fileSystem: refusing(
        (operation, path) => isSegment(path) && (operation === 'write' || operation === 'truncate'),
      ),
    }),
  'audit segment not removed': (scene) =>
    call(scene, {
      fileSystem: refusing(
        (operation, path) => isSegment(path) && (operation === 'write' || operation === 'close'),
      ),
    }),
  'audit reserve not released': (scene) =>
    call(scene, {
      fileSystem: refusing((operation) => operation === 'write' || operation === 'remove', 'ENOSPC'),
    }),
  async 'audit disk probe failed'(scene) {
    const timers = manualTimers();
    const isRefused = (operation: string, path: string): boolean =>
      operation === 'write' || (operation === 'open' && path.endsWith('probe.tmp'));
    const settings = { ...timers, fileSystem: refusing(isRefused), logger: scene.logger };
    await using trail = await openAuditTrail({ ...options(scene.path), ...settings });
    await trail.begin(intent()).catch(() => undefined);
    timers.fire();
    await scene.logged();
  },
  async 'audit alert not recorded'(scene) {
    {
      await using trail = await openAuditTrail(options(scene.path));
      await (await trail.begin(intent())).finish(success);
    }
    const [file = ''] = await segmentFiles(scene.path);
    await writeFile(file, (await readFile(file, 'utf8')).replace('trigger_', 'forget_'));
    const settings = { ...options(scene.path), logger: scene.logger };
    await using _trail = await openAuditTrail({
      ...settings,
      fileSystem: refusing((operation) => operation === 'write'),
    });
    await scene.logged();
  },
  async 'audit cursor unreadable, delivering from the start'(scene) {
    await writeFile(join(scene.path, 'cursor-memory.json'), CAUSE);
    await call(scene, sinkThat(taken));
  },
  'audit cursor not written': (scene) =>
    call(scene, {
      ...sinkThat(taken),
      fileSystem: refusing((operation, path) => operation === 'open' && path.includes('cursor-memory.json.')),
    }),
  'audit delivery failed': (scene) =>
    call(
      scene,
      sinkThat(() => Promise.reject(new Error(CAUSE))),
    ),
  'audit checkpoints not accepted': (scene) =>
    call(scene, {
      ...sinkThat(async (_events, { checkpoints = [] }) => {
        if (checkpoints.length > 0) {
          throw new AuditError('rejected_by_sink', CAUSE);
        }
      }),
      deliveryIntervalMs: 1,
    }),
  'audit quarantine not written': (scene) =>
    call(scene, {
      // Takes all but the first event, which is why that one is to be set aside.
      ...sinkThat(([first]) =>
        first?.sequence === 1
          ? Promise.reject(new AuditError('rejected_by_sink', 'no'))
          : Promise.resolve(undefined),
      ),
      fileSystem: refusing((operation, path) => operation === 'open' && path.includes('quarantine-')),
    }),
  async 'audit adoption failed'(scene) {
    const directories = (): Promise<never> => Promise.reject(new Error(CAUSE));
    const { sinks, server } = options(scene.path);
    await using _adoption = createTrailAdoption({ sinks, server, directories, logger: scene.logger });
    await scene.logged();
  },
  async 'audit trail not adopted'(scene) {
    {
      await using trail = await openAuditTrail(options(scene.path));
      await trail.begin(intent());
    }
    const { server } = options(scene.path);
    const directories = (): Promise<string[]> => Promise.resolve([scene.path]);
    const fileSystem = refusing((_operation, path) => path.endsWith('signing-key.pem'));
    const sinks = [{ name: 'memory', deliver: taken }];
    await using _adoption = createTrailAdoption({
      sinks,
      server,
      directories,
      fileSystem,
      logger: scene.logger,
    });
    await scene.logged();
  },
  async 'what became of a task is not known now'(scene) {
    {
      await using trail = await openAuditTrail(options(scene.path));
      await trail.begin(intent({ taskId: 'task-1' }));
    }
    const outcomeOfTask = (): Promise<never> => Promise.reject(new Error(CAUSE));
    await call(scene, { outcomeOfTask });
  },
  async 'outcome of a task not recorded yet'(scene) {
    let isRefused = false;
    const timers = manualTimers();
    const { path, logger } = scene;
    await using trail = await openAuditTrail({
      ...options(path),
      fileSystem: refusing((operation) => isRefused && operation === 'write'),
      setTimer: timers.setTimer,
      outcomeOfTask: () => ({ result: 'success' }),
      logger,
    });
    await trail.begin(intent({ taskId: 'task-1' }));
    isRefused = true;
    timers.fire();
    await scene.logged();
  },
  async 'a name could not be sealed and was left out of the audit trail'(scene) {
    const refuse = (): Promise<never> => Promise.reject(new Error(CAUSE));
    const personalKeys = { seal: refuse, open: refuse, destroy: refuse };
    await using trail = createProtectedTrail(await openAuditTrail(options(scene.path)), {
      personalKeys,
      logger: scene.logger,
    });
    await trail.begin(intent());
    await scene.logged();
  },
};

describe('a line of the log with a cause', () => {
  it.each(Object.entries(scenes))(
    'is printed by pino with its message and stack: %s',
    async (message, play) => {
      await using directory = await temporaryDirectory();
      const lines: { msg: string; err?: { message: string; stack: string } }[] = [];
      const logger = pino({}, { write: (line) => void lines.push(JSON.parse(line)) });
      const found = () => lines.find(({ msg }) => msg === message);
      await play({
        path: directory.path,
        logger,
        logged: () => expect.poll(found, { timeout: 5000 }).toBeDefined(),
      });
      expect(found()?.err?.message).toContain(CAUSE);
      expect(found()?.err?.stack).toContain(CAUSE);
      expect(found()).not.toHaveProperty('error');
    },
  );

  it('is made by one of the cases above, each of them', () => {
    const source = new URL('../src', import.meta.url);
    const texts = readdirSync(source, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(new URL(`../src/${name.replaceAll('\\', '/')}`, import.meta.url), 'utf8'));
    const logged = texts.flatMap((text) =>
      [...text.matchAll(/ogger\.(?:warn|error)\(\s*\{ err\b[^}]*\},\s*'(?<message>[^']+)'/gu)].map(
        ({ groups }) => groups?.['message'],
      ),
    );
    expect(new Set(logged)).toEqual(new Set(Object.keys(scenes)));
    expect(texts.filter((text) => /ogger\.(?:warn|error)\(\s*\{ error\b/u.test(text))).toEqual([]);
  });
});

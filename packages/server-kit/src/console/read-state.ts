import type { AuditEvent } from '@mcp-parts/audit';
import type { RunningTask } from '@mcp-parts/tasks';

import type { Server } from '../assemble.ts';
import { atMost } from '../at-most.ts';
import type { ConsoleEvent, ConsoleState, ConsoleTask, ConsoleTrail } from './console-state.ts';

const MAX_CALLS = 50;
const MAX_TASKS = 20;
const MAX_MESSAGE_LENGTH = 120;
/** A store that does not answer keeps nothing else from being shown. */
const TASKS_WITHIN_MS = 1_000;

/** What the operator's page shows beside the metrics, as it is now. */
export async function readConsoleState(
  server: Server,
  { isClosing, isSignedIn }: { readonly isClosing: boolean; readonly isSignedIn: boolean },
): Promise<ConsoleState> {
  const { name, version } = server.serverInfo;
  const [{ state, checks }, tasks, recent] = await Promise.all([
    server.readiness(),
    readTasks(server),
    readTrail(server),
  ]);
  return {
    server: { name, version },
    at: Date.now(),
    status: isClosing ? 'closing' : state,
    checks,
    isSignedIn,
    facts: server.ages(),
    tasks,
    recent,
  };
}

async function readTasks({ tasks, logger }: Server): Promise<ConsoleState['tasks']> {
  if (tasks?.running === undefined) {
    return undefined;
  }
  let found: ConsoleState['tasks'] = 'unreadable';
  try {
    const look = tasks.running({ limit: MAX_TASKS }).then((running) => void (found = running.map(shownTask)));
    await atMost(TASKS_WITHIN_MS, look);
  } catch (error) {
    logger.warn({ err: error }, 'running tasks not shown');
  }
  return found;
}

function shownTask({ kind, state, attempt, progress, ageMs, silenceMs }: RunningTask): ConsoleTask {
  const { percent, message } = progress;
  const isLong = message.length > MAX_MESSAGE_LENGTH;
  return {
    tool: kind,
    state,
    attempt,
    percent,
    message: isLong ? `${message.slice(0, MAX_MESSAGE_LENGTH)}…` : message,
    ageMs,
    silenceMs,
  };
}

async function readTrail({ audit, logger }: Server): Promise<ConsoleTrail | undefined> {
  if (audit.recent === undefined) {
    return undefined;
  }
  try {
    const { events, chain } = await audit.recent(2 * MAX_CALLS);
    return { chain, events: callsOf(events).map(shown).slice(-MAX_CALLS).toReversed() };
  } catch (error) {
    logger.warn({ err: error }, 'audit events not shown');
    return { chain: 'unreadable', events: [] };
  }
}

/** Each call once: by its outcome, or its intent while it has none. */
function callsOf(events: readonly AuditEvent[]): readonly AuditEvent[] {
  const ended = new Set(events.flatMap((event) => (event.stage === 'outcome' ? event.intentId : [])));
  return events.filter(({ id }) => !ended.has(id));
}

/** Member by member: an event also holds arguments. */
function shown(event: AuditEvent): ConsoleEvent {
  const { sequence, time, stage, actor, action, target, resource, correlationId } = event;
  const common = { sequence, time, stage, actor: actor.id, action, target, resource, correlationId };
  if (event.stage === 'intent') {
    return common;
  }
  const { result, reason, durationMs, refusals } = event;
  return { ...common, result, reason, durationMs, count: refusals?.count };
}

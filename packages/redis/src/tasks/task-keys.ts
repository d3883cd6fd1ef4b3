import { hashed } from '../connection/keys.ts';

/**
 * The scripts' view of where tasks are. `KEYS[1]` is what all names begin with; they share its hash tag, so also a
 * divided Redis has them in one place.
 *
 * - `task:ID` (hash): the record as it was written last, and beside it what scripts decide by. `steps:ID` (hash).
 * - `key:DIGEST` (string): the task of an idempotency key.
 * - `owner:DIGEST`, `queued:DIGEST` (sorted by sequence): all tasks of an owner, and those that wait.
 * - `owners` (set): owners with waiting tasks. `turns`, `busy` (hashes): an owner's last turn, and how many run.
 * - `first` (sorted by creation): tasks that never ran. `running`, `unsettled` (by sequence), `ended` (by age).
 * - `beats` (hash): workers. `age` (hash), `sequence`, `turn` (numbers).
 */
export const LIBRARY = `
local P = KEYS[1]
local function task(id) return P .. 'task:' .. id end
local function leave(id, t, state, settled)
  if state == 'queued' then
    redis.call('ZREM', P .. 'queued:' .. t.owner, id)
    redis.call('ZREM', P .. 'first', id)
    if redis.call('ZCARD', P .. 'queued:' .. t.owner) == 0 then
      redis.call('SREM', P .. 'owners', t.owner)
    end
  elseif state == 'running' then
    redis.call('ZREM', P .. 'running', id)
    if redis.call('HINCRBY', P .. 'busy', t.owner, -1) <= 0 then
      redis.call('HDEL', P .. 'busy', t.owner)
    end
  else
    redis.call('ZREM', P .. (settled == '1' and 'ended' or 'unsettled'), id)
  end
end
local function enter(id, t, state, settled)
  if state == 'queued' then
    redis.call('ZADD', P .. 'queued:' .. t.owner, t.sequence, id)
    redis.call('SADD', P .. 'owners', t.owner)
    if t.attempt == '0' then
      redis.call('ZADD', P .. 'first', t.createdAt, id)
    end
  elseif state == 'running' then
    redis.call('ZADD', P .. 'running', t.sequence, id)
    redis.call('HINCRBY', P .. 'busy', t.owner, 1)
  elseif settled == '1' then
    redis.call('ZADD', P .. 'ended', t.endedAge, id)
  else
    redis.call('ZADD', P .. 'unsettled', t.sequence, id)
  end
end
local function tell()
  redis.call('PUBLISH', P .. 'changed', '')
end
`;

/** The names that depend on an owner. */
export const ownerKey = (ownerId: string): string => hashed(ownerId);

/** The name of an idempotency key; empty without one. */
export function idempotencyName(ownerId: string, kind: string, key: string | undefined): string {
  return key === undefined ? '' : hashed(JSON.stringify([ownerId, kind, key]));
}

import { createScript } from '../connection/script.ts';
import { LIBRARY } from './task-keys.ts';

const script = (lua: string) => createScript(LIBRARY + lua);

/** Each is one step: of two processes that run one at once, one comes first. */
export const taskScripts = {
  /** Of: id, owner, name of the key, most that may wait, creation, record, progress, input, kind, time. */
  insert: script(`
local id, owner, name = ARGV[1], ARGV[2], ARGV[3]
if redis.call('EXISTS', task(id)) == 1 then return id end
if name ~= '' then
  local existing = redis.call('GET', P .. 'key:' .. name)
  if existing then return existing end
end
if redis.call('ZCARD', P .. 'queued:' .. owner) >= tonumber(ARGV[4]) then return 0 end
local sequence = redis.call('INCR', P .. 'sequence')
redis.call('HSET', task(id), 'owner', owner, 'name', name, 'createdAt', ARGV[5], 'record', ARGV[6], 'progress', ARGV[7],
  'input', ARGV[8], 'kind', ARGV[9], 'sequence', sequence, 'state', 'queued', 'attempt', '0', 'revision', '0',
  'settled', '0', 'reportedAt', ARGV[10], 'changedAt', ARGV[10], 'workerId', '')
if name ~= '' then redis.call('SET', P .. 'key:' .. name, id) end
redis.call('ZADD', P .. 'owner:' .. owner, sequence, id)
enter(id, { owner = owner, sequence = sequence, attempt = '0', createdAt = ARGV[5] }, 'queued', '0')
tell()
return 1`),

  /** Of: worker, most that run of one owner, time, kinds. */
  claim: script(`
local kinds = {}
for index = 4, #ARGV do kinds[ARGV[index]] = true end
local best
for _, owner in ipairs(redis.call('SMEMBERS', P .. 'owners')) do
  local busy = tonumber(redis.call('HGET', P .. 'busy', owner) or '0')
  local turn = tonumber(redis.call('HGET', P .. 'turns', owner) or '0')
  if busy < tonumber(ARGV[2]) and (not best or busy < best.busy or (busy == best.busy and turn <= best.turn)) then
    local waiting = redis.call('ZRANGE', P .. 'queued:' .. owner, 0, -1, 'WITHSCORES')
    for index = 1, #waiting, 2 do
      if kinds[redis.call('HGET', task(waiting[index]), 'kind')] then
        local sequence = tonumber(waiting[index + 1])
        if not best or busy < best.busy or turn < best.turn or sequence < best.sequence then
          best = { id = waiting[index], owner = owner, busy = busy, turn = turn, sequence = sequence }
        end
        break
      end
    end
  end
end
if not best then return false end
leave(best.id, { owner = best.owner }, 'queued', '0')
redis.call('HINCRBY', task(best.id), 'attempt', 1)
redis.call('HINCRBY', task(best.id), 'revision', 1)
redis.call('HSET', task(best.id), 'state', 'running', 'workerId', ARGV[1], 'changedAt', ARGV[3])
enter(best.id, { owner = best.owner, sequence = best.sequence }, 'running', '0')
redis.call('HSET', P .. 'turns', best.owner, redis.call('INCR', P .. 'turn'))
return best.id`),

  /** Of: id, revision before, state, attempt, revision, record, progress, time, worker, age at the end, whether settled. */
  replace: script(`
local id = ARGV[1]
local known = redis.call('HMGET', task(id), 'revision', 'state', 'owner', 'sequence', 'createdAt', 'settled')
if known[1] ~= ARGV[2] then return 0 end
local t = { owner = known[3], sequence = known[4], createdAt = known[5], attempt = ARGV[4], endedAge = ARGV[10] }
leave(id, t, known[2], known[6])
redis.call('HSET', task(id), 'state', ARGV[3], 'attempt', ARGV[4], 'revision', ARGV[5], 'record', ARGV[6],
  'progress', ARGV[7], 'reportedAt', ARGV[8], 'changedAt', ARGV[8], 'workerId', ARGV[9], 'settled', ARGV[11])
enter(id, t, ARGV[3], ARGV[11])
tell()
return 1`),

  /** Of: id, attempt, progress, time. */
  report: script(`
local known = redis.call('HMGET', task(ARGV[1]), 'state', 'attempt')
if known[1] ~= 'running' or known[2] ~= ARGV[2] then return 0 end
redis.call('HSET', task(ARGV[1]), 'progress', ARGV[3], 'reportedAt', ARGV[4])
return 1`),

  /** Of: id, attempt, name, result. */
  saveStep: script(`
local known = redis.call('HMGET', task(ARGV[1]), 'state', 'attempt')
if known[1] ~= 'running' or known[2] ~= ARGV[2] then return 0 end
redis.call('HSET', P .. 'steps:' .. ARGV[1], ARGV[3], ARGV[4])
return 1`),

  /** Of: time, and what has been seen pass. */
  grow: script(`
local at, elapsed = tonumber(ARGV[1]), tonumber(ARGV[2])
local known = redis.call('HMGET', P .. 'age', 'age', 'grownAt')
local age = tonumber(known[1] or '0')
if known[2] then
  age = age + math.max(0, math.min(elapsed, at - tonumber(known[2])))
end
redis.call('HSET', P .. 'age', 'age', string.format('%.0f', age), 'grownAt', string.format('%.0f', at))
return age`),

  /** Of: age, and how many at once. How many are gone. */
  removeEnded: script(`
local ids = redis.call('ZRANGEBYSCORE', P .. 'ended', '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
for _, id in ipairs(ids) do
  local known = redis.call('HMGET', task(id), 'owner', 'name')
  if known[2] and known[2] ~= '' then redis.call('DEL', P .. 'key:' .. known[2]) end
  redis.call('DEL', task(id), P .. 'steps:' .. id)
  redis.call('ZREM', P .. 'ended', id)
  redis.call('ZREM', P .. 'owner:' .. known[1], id)
  if redis.call('EXISTS', P .. 'owner:' .. known[1]) == 0 then
    redis.call('HDEL', P .. 'turns', known[1])
  end
end
return #ids`),
} as const;

/** A Lua script on one key: `KEYS[1]` and nothing else, so that it runs on whichever node of a cluster has the key. */
export interface Script {
  readonly text: string
}

/*
 * A record that is not done is a hash:
 *   pending   state, owner, fence, fingerprint, lease_until (ms since 1970), and p:<name> for each saved phase
 *   released  state, fence, released_by
 * One that is done is a string, which takes a third less memory: the fingerprint, a line feed, the response (record.ts).
 * Redis expires it at the end of its retention. The time is the server's.
 *
 * A client may send a command again whose answer it lost with the connection (ioredis does by itself). So a claim by the
 * owner that has the key already is answered as the first one was, and so are a completion and a release that carry the
 * same random mark as the one that is recorded.
 *
 * A server whose memory is full (maxmemory, noeviction) refuses what needs memory until a script's first write. A new
 * claim shall be refused then, but what is running shall be renewed and completed: therefore those begin with a write
 * that needs none.
 */

const now = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`

/** ARGV: owner, fingerprint, lease, retention, expired. Gives the kind of the result, then what belongs to it. */
export const claimScript: Script = {
  text: `${now}
local key, owner, fingerprint = KEYS[1], ARGV[1], ARGV[2]
local lease, retention, expired = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
if redis.call('TYPE', key).ok == 'string' then
  local done = redis.call('GET', key)
  if string.sub(done, 1, #fingerprint + 1) ~= fingerprint .. '\\n' then return {'mismatch'} end
  return {'done', string.sub(done, #fingerprint + 2)}
end
local found = redis.call('HMGET', key, 'state', 'fingerprint', 'fence', 'lease_until', 'owner')
local state, fence = found[1], tonumber(found[3] or 0)
local result = {'claimed', fence + 1, 0}
if state == 'released' then
  redis.call('DEL', key)
elseif state then
  if found[2] ~= fingerprint then return {'mismatch'} end
  if found[5] == owner then
    result[2] = fence
  else
    local left = found[4] - now
    if left > 0 then return {'pending', left} end
    if expired ~= 'take' and expired ~= found[3] then return {'expired', fence} end
  end
  result[3] = 1
  local fields = redis.call('HGETALL', key)
  for at = 1, #fields, 2 do
    if string.sub(fields[at], 1, 2) == 'p:' then
      result[#result + 1] = string.sub(fields[at], 3)
      result[#result + 1] = fields[at + 1]
    end
  end
end
redis.call('HSET', key, 'state', 'pending', 'owner', owner, 'fence', result[2], 'fingerprint', fingerprint, 'lease_until', now + lease)
redis.call('PEXPIREAT', key, now + math.max(lease, retention))
return result
`,
}

/** ARGV of all that follow: owner, fence, and more. */
const held = `
local key = KEYS[1]
local done = redis.call('TYPE', key).ok == 'string'
local found = done and {} or redis.call('HMGET', key, 'state', 'owner', 'fence', 'fingerprint')
local held = found[1] == 'pending' and found[2] == ARGV[1] and found[3] == ARGV[2]
`

/** Where a user may not publish, the record is kept all the same: a notification is a hint. */
const notify = (channel: string, message: string): string => `if ${channel} ~= '' then redis.pcall('PUBLISH', ${channel}, '${message}') end`

/** ARGV: owner, fence, response, retention, channel or ''. Gives 1 or 0. */
export const completeScript: Script = {
  text: `${now}${held}
if not held then
  return done and string.sub(redis.call('GET', key), -#ARGV[3]) == ARGV[3] and 1 or 0
end
redis.call('DEL', key)
redis.call('SET', key, found[4] .. '\\n' .. ARGV[3], 'PXAT', now + ARGV[4])
${notify('ARGV[5]', 'done')}
return 1
`,
}

/** ARGV: owner, fence, lease. Gives 1 or 0. */
export const renewScript: Script = {
  text: `${now}${held}
if not held then return 0 end
local leaseUntil = now + ARGV[3]
redis.call('PEXPIREAT', key, math.max(now + redis.call('PTTL', key), leaseUntil))
redis.call('HSET', key, 'lease_until', leaseUntil)
return 1
`,
}

/** ARGV: owner, fence, a random text, channel or ''. Gives 1 or 0. */
export const releaseScript: Script = {
  text: `${held}
if not held then
  return found[1] == 'released' and redis.call('HGET', key, 'released_by') == ARGV[3] and 1 or 0
end
local left = redis.call('PTTL', key)
redis.call('DEL', key)
redis.call('HSET', key, 'state', 'released', 'fence', ARGV[2], 'released_by', ARGV[3])
redis.call('PEXPIRE', key, left)
${notify('ARGV[4]', 'released')}
return 1
`,
}

/** ARGV: owner, fence, name, value. Gives 1 or 0. */
export const savePhaseScript: Script = {
  text: `${held}
if not held then return 0 end
redis.call('HDEL', key, 'p:' .. ARGV[3])
redis.call('HSET', key, 'p:' .. ARGV[3], ARGV[4])
return 1
`,
}

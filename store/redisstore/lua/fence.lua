-- Fences sessions.
-- KEYS of each: its record.
-- ARGV of each: request id, upper bound of the cutoff (0: none), '1' to refuse
-- a live session of kind browser, for how many milliseconds a tombstone of an
-- unknown session is kept (0: none is written).
-- Returns of each the outcome, the cutoff, time of authentication, expiry, and
-- other fields of the record.
local at = now()

local function unknown(key, request, bound, ttl)
  if bound == 0 or bound > at then bound = at end
  if ttl > 0 and redis.call('EXISTS', key) == 0 then
    local value = text(bound)
    redis.call('HSET', key, 'auth', value, 'exp', value, 'revoked', value, 'mark', request)
    redis.call('PEXPIRE', key, text(ttl))
  end
  return {'unknown', bound}
end

return each(4, 1, function(k, a)
  local key = KEYS[k + 1]
  local fields = redis.call('HMGET', key, 'tenant', 'user', 'device', 'app', 'kind', 'auth', 'exp', 'revoked')
  if not (fields[6] and fields[7]) and absent(key) or not fields[2] and fields[8] then
    return unknown(key, ARGV[a + 1], ms(ARGV[a + 2]), ms(ARGV[a + 4]))
  end
  local auth, exp, revoked = ms(fields[6]), ms(fields[7]), ms(fields[8])
  local lives = over(exp, revoked, at) == 0
  if lives and ARGV[a + 3] == '1' and fields[5] == 'browser' then return {'refused', 0, auth, exp, fields} end
  local value = fence(key, auth, exp, revoked, ARGV[a + 1], ms(ARGV[a + 2]), at)
  return {lives and 'fenced' or 'ended', value, auth, exp, fields}
end)

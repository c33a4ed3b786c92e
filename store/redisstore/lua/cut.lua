-- Writes the cutoff of a logout request.
-- KEYS: the cutoffs of user, device and the device's push registrations, the
-- end of the session presented, the user's indexes of sessions and refresh
-- tokens.
-- ARGV: scope, cutoff, time of authentication of the session presented (0:
-- none), device, app, retention, least lifetime of a cutoff.
-- Returns the cutoff that applies: an earlier one of user or device, where
-- that has overtaken the session presented; of both the one that ended it.
local at = now()
local scope, value, auth, device, app = ARGV[1], ms(ARGV[2]), ms(ARGV[3]), ARGV[4], ARGV[5]
local retention = ms(ARGV[6])
for i = 1, 2 do
  local standing = cutoff(KEYS[i])
  if auth > 0 and auth <= standing then value = math.min(value, standing) end
end

local ttl = lifetime(KEYS[5], KEYS[6], retention, ms(ARGV[7]), at)
if scope == 'user' then raise(KEYS[1], value, ttl) end
if scope == 'device' then raise(KEYS[2], value, ttl) end
if scope ~= 'session' then return value end

redis.call('SET', KEYS[4], value, 'PX', retention)
if device ~= '' then
  for _, field in ipairs({'any', app == '' and 'all' or 'app:' .. app}) do
    if value > ms(redis.call('HGET', KEYS[3], field)) then redis.call('HSET', KEYS[3], field, value) end
  end
  keep(KEYS[3], ttl)
end
return value

-- Writes a push registration, unless a cutoff covers it or the session that
-- it is bound to has ended.
-- KEYS: the cutoffs of user, device and the device's push registrations, the
-- user's index of push registrations, the registration, the cutoff of the
-- session's device, the end of the session.
-- ARGV: id, app, time of registration (0: the next millisecond), time of
-- authentication of the session that it is bound to (0: none), then the fields
-- as pairs.
-- Returns what became of it and, where it is refused, the cutoff, else its time
-- of registration, and the push token that it had before, if that is another.
local app, registered, auth, at = ARGV[2], ms(ARGV[3]), ms(ARGV[4]), now()
local floor = math.max(cutoff(KEYS[1]), cutoff(KEYS[2]))
for _, field in ipairs(app == '' and {'any'} or {'all', 'app:' .. app}) do
  floor = math.max(floor, ms(redis.call('HGET', KEYS[3], field)))
end
if registered == 0 or registered > at then registered = math.max(at, floor) + 1 end
if registered <= floor then return {'revoked', floor} end

if auth > 0 then
  local over = math.max(cutoff(KEYS[1]), cutoff(KEYS[6]))
  if auth <= over then return {'revoked', over} end
  over = cutoff(KEYS[7])
  if over > 0 then return {'revoked', over} end
end

local marked, had, old = unpack(redis.call('HMGET', KEYS[5], 'mark', 'registered', 'token'))
local before = marked and 0 or ms(had) -- what is marked is as good as deleted
if before > registered then return {'kept', registered} end
redis.call('DEL', KEYS[5])
redis.call('HSET', KEYS[5], 'registered', registered, 'auth', auth, unpack(ARGV, 5))
redis.call('SADD', KEYS[4], ARGV[1])
local token = redis.call('HGET', KEYS[5], 'token')
return {before > 0 and 'replaced' or 'created', registered, old ~= token and old or ''}

-- Writes the cutoffs of logout requests by session, and reads the users' push
-- registrations.
-- KEYS of each: the cutoffs of user, device and the device's push
-- registrations, the end of the session presented, the user's indexes of
-- sessions, refresh tokens and push registrations.
-- ARGV of each: the request's cutoff, time of authentication of the session
-- presented (0: none), device, app, retention, least lifetime of a cutoff.
-- Returns of each the cutoff that applies, then the members of the index of
-- push registrations unless they are many.
return each(6, 7, function(k, a)
  local user, device, cutoffs, over, sessions, refresh, push = unpack(KEYS, k + 1, k + 7)
  local value = applying(ms(ARGV[a + 1]), ms(ARGV[a + 2]), cutoff(user), cutoff(device))
  value = lower(over, value, ARGV[a + 5])
  if ARGV[a + 3] ~= '' then
    local app = ARGV[a + 4] == '' and 'all' or 'app:' .. ARGV[a + 4]
    local before = redis.call('HMGET', cutoffs, 'any', app)
    redis.call('HSET', cutoffs, 'any', text(math.max(value, ms(before[1]))), app, text(math.max(value, ms(before[2]))))
    keep(cutoffs, lifetime(sessions, refresh, ms(ARGV[a + 6])))
  end
  return {value, few(redis.call('SRANDMEMBER', push, limit))}
end)

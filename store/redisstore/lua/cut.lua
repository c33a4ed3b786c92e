-- Writes the cutoffs of logout requests by user or device, and reads the users'
-- indexes.
-- KEYS of each: the cutoffs of user and device, the end of the session presented,
-- the indexes of sessions, refresh tokens and push registrations.
-- ARGV of each: '1' or '2', the cutoff that rises; the request's cutoff, time of
-- authentication of the session presented (0: none), least lifetime of a
-- cutoff.
-- Returns of each the cutoff that applies, then the members of each index
-- unless they are many.
return each(4, 6, function(k, a)
  local user, device, over, sessions, refresh, push = unpack(KEYS, k + 1, k + 6)
  local standing = {cutoff(user), cutoff(device)}
  local value = applying(ms(ARGV[a + 2]), ms(ARGV[a + 3]), standing[1], standing[2])
  local ended = cutoff(over)
  if ended > 0 then value = math.min(value, ended) end
  local rising = tonumber(ARGV[a + 1])
  raise(KEYS[k + rising], value, standing[rising], lifetime(sessions, refresh, ms(ARGV[a + 4])))
  return {
    value,
    few(redis.call('ZRANGE', sessions, '0', limit)),
    few(redis.call('ZRANGE', refresh, '0', limit)),
    few(redis.call('SRANDMEMBER', push, limit)),
  }
end)

-- Fences the sessions presented where the front end did not, and reads what is
-- bound to them.
-- KEYS of each: its record, the index of the refresh tokens bound to it.
-- ARGV of each: request id, cutoff, '1' to read the index.
-- Returns of each whether it bears the request's mark (1 or 0), its expiry, for
-- how many milliseconds its record is kept, and the members of the index unless
-- they are many.
local at = now()
return each(3, 2, function(k, a)
  local key, request = KEYS[k + 1], ARGV[a + 1]
  local bound = ARGV[a + 3] == '1' and few(redis.call('ZRANGE', KEYS[k + 2], '0', limit))
  local auth, exp, revoked, mark = unpack(redis.call('HMGET', key, 'auth', 'exp', 'revoked', 'mark'))
  if not (auth and exp) and absent(key) then return {0, 0, 0, bound} end
  revoked = ms(revoked)
  local own = revoked == 0 or mark == request
  fence(key, ms(auth), ms(exp), revoked, request, ms(ARGV[a + 2]), at)
  return {own and 1 or 0, ms(exp), redis.call('PTTL', key), bound}
end)

-- Deletes push registrations that still bear the mark of a request.
-- KEYS of each: the registration, the user's index of push registrations.
-- ARGV of each: request id, id.
-- Returns of each the time of registration, provider and push token of what was
-- deleted, else nothing.
return each(2, 2, function(k, a)
  local key = KEYS[k + 1]
  local r = redis.call('HMGET', key, 'mark', 'registered', 'provider', 'token')
  if r[1] ~= ARGV[a + 1] then return {} end
  redis.call('UNLINK', key)
  redis.call('SREM', KEYS[k + 2], ARGV[a + 2])
  return {ms(r[2]), r[3] or '', r[4] or ''}
end)

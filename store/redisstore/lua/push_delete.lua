-- Deletes push registrations that still bear the mark of a request.
-- KEYS of each: the registration, the user's index of push registrations.
-- ARGV of each: request id, id.
return each(2, 2, function(k, a)
  local key = KEYS[k + 1]
  if redis.call('HGET', key, 'mark') ~= ARGV[a + 1] then return 0 end
  redis.call('UNLINK', key)
  redis.call('SREM', KEYS[k + 2], ARGV[a + 2])
  return 1
end)

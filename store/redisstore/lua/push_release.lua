-- Deletes the entries of push tokens that a registration no longer has.
-- KEYS of each: the entry of the push token.
-- ARGV of each: key of the registration, the latest time at which it had the
-- token: it may have been made again since.
return each(2, 1, function(k, a)
  local held = redis.call('HMGET', KEYS[k + 1], 'holder', 'registered')
  if held[1] ~= ARGV[a + 1] or ms(held[2]) > ms(ARGV[a + 2]) then return 0 end
  return redis.call('UNLINK', KEYS[k + 1])
end)

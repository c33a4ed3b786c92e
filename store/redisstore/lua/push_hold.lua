-- Makes registrations the newest holders of their push tokens, unless a later
-- one is.
-- KEYS of each: the entry of the push token.
-- ARGV of each: key of the registration, its time, lifetime of the entry.
return each(3, 1, function(k, a)
  local entry, registered = KEYS[k + 1], ms(ARGV[a + 2])
  if ms(redis.call('HGET', entry, 'registered')) > registered then return 0 end
  redis.call('HSET', entry, 'holder', ARGV[a + 1], 'registered', text(registered))
  redis.call('PEXPIRE', entry, ARGV[a + 3])
  return 1
end)

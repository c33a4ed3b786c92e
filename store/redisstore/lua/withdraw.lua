-- Ends a record that was overtaken by a cutoff while it was created. No
-- request marks it: nobody was told of it.
-- KEYS: the record.
-- ARGV: the cutoff.
local r = read(KEYS[1])
if not r or r.revoked > 0 then return 0 end
redis.call('HSET', KEYS[1], 'revoked', math.max(ms(ARGV[1]), r.auth))
return 1

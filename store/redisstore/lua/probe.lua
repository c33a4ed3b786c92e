-- Tries the commands by which records are written.
-- KEYS: a key that is used for nothing else, and is gone at the end.
-- The first command is one that needs memory: Redis checks for that only until
-- a script has written.
local key = KEYS[1]
redis.call('HSET', key, 'probe', '1')
redis.call('PEXPIRE', key, 60000)
redis.call('UNLINK', key)
redis.call('ZADD', key, 1, 'probe')
redis.call('ZREM', key, 'probe')
redis.call('SADD', key, 'probe')
redis.call('SREM', key, 'probe')
redis.call('SET', key, '1', 'PX', 60000)
redis.call('UNLINK', key)
return 1

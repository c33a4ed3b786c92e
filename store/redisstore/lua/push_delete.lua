-- Deletes a push registration that still bears the mark of a request.
-- KEYS: the registration, the user's index of push registrations.
-- ARGV: request id, id.
if redis.call('HGET', KEYS[1], 'mark') ~= ARGV[1] then return 0 end
redis.call('UNLINK', KEYS[1])
redis.call('SREM', KEYS[2], ARGV[2])
return 1

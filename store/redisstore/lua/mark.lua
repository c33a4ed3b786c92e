-- Marks a session or refresh token as revoked by a request, where it covers
-- the record and nothing has ended it before.
-- KEYS: the record.
-- ARGV: request id, cutoff, tenant, user, scope, and the scope's device or
-- session.
-- Returns the expiry of a record that bears the mark, else 0.
local r = read(KEYS[1])
if not r or r.tenant ~= ARGV[3] or r.user ~= ARGV[4] then return 0 end
if r.mark == ARGV[1] then return r.exp end
if ended(r, now()) > 0 then return 0 end
local value, scope, name = ms(ARGV[2]), ARGV[5], ARGV[6]
local covered
if scope == 'session' then
  covered = r.session == name
else
  covered = r.auth <= value and (scope == 'user' or r.device == name)
end
if not covered then return 0 end
redis.call('HSET', KEYS[1], 'revoked', math.max(value, r.auth), 'mark', ARGV[1])
return r.exp

-- Binds a refresh token to a session, and lets the session's record outlive it.
-- KEYS: the session's record, the index of what is bound to it.
-- ARGV: id of the token, its expiry, retention, tenant, user, '1' where an
-- expired session refuses it.
-- Returns what became of it, when the session ended or its time of
-- authentication, and its device.
local at = now()
local r = read(KEYS[1])
if not r then return {'unknown', 0} end
if r.tenant ~= ARGV[4] or r.user ~= ARGV[5] then return {'other', 0} end
local over = ended(r, at)
if r.revoked > 0 or (over > 0 and ARGV[6] == '1') then return {'revoked', over} end
local exp, retention = ms(ARGV[2]), ms(ARGV[3])
enter(KEYS[2], ARGV[1], exp, retention, at)
keep(KEYS[1], exp + retention - at)
return {'bound', r.auth, r.device}

-- Enters a session or refresh token into its user's index, unless a cutoff
-- covers it.
-- KEYS: the cutoffs of user and device, the index.
-- ARGV: id, time of authentication (0: the next millisecond), expiry,
-- retention.
-- Returns the time of authentication, and the cutoff that refuses it or 0.
local at = now()
local floor = math.max(cutoff(KEYS[1]), cutoff(KEYS[2]))
local auth = ms(ARGV[2])
if auth == 0 then auth = math.max(at, floor) + 1 end
if auth <= floor then return {auth, floor} end
enter(KEYS[3], ARGV[1], ms(ARGV[3]), ms(ARGV[4]), at)
return {auth, 0}

-- Fences a user or a user's device.
-- KEYS: the cutoff, the user's indexes of sessions and refresh tokens.
-- ARGV: upper bound of the cutoff (0: none), least lifetime of a cutoff.
-- Returns the cutoff asked for.
local at = now()
local value = ms(ARGV[1])
if value == 0 or value > at then value = at end
raise(KEYS[1], value, cutoff(KEYS[1]), lifetime(KEYS[2], KEYS[3], ms(ARGV[2])))
return value

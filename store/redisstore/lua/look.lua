-- Looks records up.
-- KEYS of each: the record. Returns of each the time and the record.
local at = now()
return each(0, 1, function(k) return show(read(KEYS[k + 1]), at) end)

-- Looks a record up.
-- KEYS: the record. Returns the time and the record.
return show(read(KEYS[1]), now())

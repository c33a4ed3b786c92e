-- Records in their users' slots when sessions ended.
-- KEYS of each: the end of the session.
-- ARGV of each: when it ended, retention.
-- Returns of each when it ended, by the earliest that was recorded.
return each(2, 1, function(k, a) return {lower(KEYS[k + 1], ms(ARGV[a + 1]), ARGV[a + 2])} end)

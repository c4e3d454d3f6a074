-- Gives a session's record a new name, and makes the old one void.
-- KEYS: the old record, the new one, the mark of the void id
-- ARGV: milliseconds that the mark is kept, how to publish, the channel of the old record's changes, what to say there
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[2]) end
redis.call('SET', KEYS[3], '1', 'PX', ARGV[1])
redis.call(ARGV[2], ARGV[3], ARGV[4])
return 1

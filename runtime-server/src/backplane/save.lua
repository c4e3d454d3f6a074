-- Changes a session's record field by field, and tells the servers that have the session.
-- KEYS: the record, the mark of a void id
-- ARGV: '1' to make the record when there is none, milliseconds that it is kept, how to publish, the channel of its
--       changes, the change as JSON, how many fields are set, then each with its value, then the fields that go
if redis.call('EXISTS', KEYS[2]) == 1 then return -2 end
if ARGV[1] == '0' and redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local sets = tonumber(ARGV[6])
for i = 1, sets do redis.call('HSET', KEYS[1], ARGV[5 + 2 * i], ARGV[6 + 2 * i]) end
for i = 7 + 2 * sets, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
local version = redis.call('HINCRBY', KEYS[1], 'version', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call(ARGV[3], ARGV[4], '[' .. string.format('%.0f', version) .. ',' .. ARGV[5] .. ']')
return version

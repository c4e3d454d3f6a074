-- Reads a stream: its epoch, its offset, the time, and its last events.
-- KEYS: position, history. ARGV: an epoch in case it is new, milliseconds that it is kept
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if not epoch then
  epoch = ARGV[1]
  redis.call('DEL', KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'offset', 0)
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
return {epoch, redis.call('HGET', KEYS[1], 'offset'), now, redis.call('XRANGE', KEYS[2], '-', '+')}

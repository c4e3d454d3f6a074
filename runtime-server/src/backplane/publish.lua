-- Gives an event its place in each of its streams, keeps it there, and publishes it, all at once.
-- KEYS: the counter of publications, then for each stream its position and its history
-- ARGV: the event as JSON, an epoch for streams that are new, events kept, milliseconds that a stream and a history
--       are kept, how to publish, then for each stream its name and its channel
local number = redis.call('INCR', KEYS[1])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local through = {}
for i = 1, (#KEYS - 1) / 2 do
  local position, history = KEYS[2 * i], KEYS[2 * i + 1]
  local epoch = redis.call('HGET', position, 'epoch')
  if not epoch then
    epoch = ARGV[2]
    redis.call('DEL', history)
    redis.call('HSET', position, 'epoch', epoch)
  end
  local offset = redis.call('HINCRBY', position, 'offset', 1)
  redis.call('PEXPIRE', position, ARGV[4])
  redis.call('XADD', history, 'MAXLEN', '=', ARGV[3], string.format('%.0f-0', offset), 'n', string.format('%.0f', number), 't', string.format('%.0f', now), 'e', ARGV[1])
  redis.call('PEXPIRE', history, ARGV[5])
  through[i] = '[' .. cjson.encode(ARGV[5 + 2 * i]) .. ',"' .. epoch .. '",' .. string.format('%.0f', offset) .. ']'
end
local message = '[' .. string.format('%.0f', number) .. ',[' .. table.concat(through, ',') .. '],' .. ARGV[1] .. ']'
for i = 1, (#KEYS - 1) / 2 do
  redis.call(ARGV[6], ARGV[6 + 2 * i], message)
end
return number

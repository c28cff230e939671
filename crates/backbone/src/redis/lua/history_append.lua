-- Appends a message to a history and publishes it with its position.
-- KEYS: 1 the top, a hash of e (epoch) and o (offset), 2 the stream of messages, 3 the room's channel
-- ARGV: 1 the message, 2 how many are kept, 3 and 4 for how long, in milliseconds: the messages, the count
-- Answers with {epoch, offset}. An epoch is the time in microseconds at which it began.
local epoch = redis.call('HGET', KEYS[1], 'e')
if not epoch then
    local time = redis.call('TIME')
    epoch = string.format('%.0f', time[1] * 1000000 + time[2])
    redis.call('HSET', KEYS[1], 'e', epoch)
    redis.call('DEL', KEYS[2])
end
local offset = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'o', 1))
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[2], offset .. '-0', 'd', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('SPUBLISH', KEYS[3], 'p' .. epoch .. ':' .. offset .. ':' .. ARGV[1])
return {epoch, offset}

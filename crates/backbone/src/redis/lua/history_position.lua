-- The position of the last message; begins a history if there is none, and keeps it for another while.
-- KEYS: 1 the top, 2 the stream of messages
-- ARGV: 1 and 2 epoch and offset that the caller knows of, 3 and 4 for how long, in milliseconds: the messages, the count
-- Answers with {epoch, offset}.
-- A history that has not come as far as the caller knows has lost its end, and a new one begins.
local top = redis.call('HMGET', KEYS[1], 'e', 'o')
if not top[1] or (top[1] == ARGV[1] and tonumber(top[2]) < tonumber(ARGV[2])) then
    local time = redis.call('TIME')
    top = {string.format('%.0f', time[1] * 1000000 + time[2]), '0'}
    redis.call('HSET', KEYS[1], 'e', top[1], 'o', top[2])
    redis.call('DEL', KEYS[2])
end
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return top

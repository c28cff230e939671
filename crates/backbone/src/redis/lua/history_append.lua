-- Appends messages to a history, one after the other, and publishes each with its position.
-- KEYS: 1 the top, a hash of e (epoch), o (offset), b (bytes of all messages so far) and g (bytes of those that
-- are gone, at least), 2 the stream of messages, each with the bytes of all before it, 3 the room's channel
-- ARGV: 1 and 2 epoch and offset that the caller knows of, 3 and 4 for how long, in milliseconds: the messages, the count,
-- 5 how many are kept, 6 and how many bytes of them, 7 'again' if they may be there from an earlier call, 8 and on the messages
-- Answers with {epoch, offset} of the last message. An epoch is the time in microseconds at which it began.
-- A history that has not come as far as the caller knows has lost its end, and a new one begins.
local top = redis.call('HMGET', KEYS[1], 'e', 'o', 'b', 'g')
local epoch = top[1]
if not epoch or (epoch == ARGV[1] and tonumber(top[2]) < tonumber(ARGV[2])) then
    local time = redis.call('TIME')
    epoch = string.format('%.0f', time[1] * 1000000 + time[2])
    redis.call('HSET', KEYS[1], 'e', epoch, 'o', '0')
    redis.call('DEL', KEYS[2])
elseif ARGV[7] == 'again' then
    for _, entry in ipairs(redis.call('XREVRANGE', KEYS[2], '+', '-')) do
        if entry[2][2] == ARGV[#ARGV] then
            return {epoch, string.match(entry[1], '^%d+')}
        end
    end
end
local all, gone = tonumber(top[3] or 0), tonumber(top[4] or 0)
local offset
for index = 8, #ARGV do
    offset = string.format('%.0f', redis.call('HINCRBY', KEYS[1], 'o', 1))
    redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[5], offset .. '-0', 'd', ARGV[index], 'b', all)
    all = all + #ARGV[index]
    redis.call('SPUBLISH', KEYS[3], 'p' .. epoch .. ':' .. offset .. ':' .. ARGV[index])
end
-- How many are gone is looked up only when too many may be there. The last message stays.
while all - gone > tonumber(ARGV[6]) do
    local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
    local before = tonumber(oldest[2][4])
    if before > gone then
        gone = before
    elseif oldest[1] == offset .. '-0' then
        break
    else
        redis.call('XDEL', KEYS[2], oldest[1])
        gone = before + #oldest[2][2]
    end
end
redis.call('HSET', KEYS[1], 'b', all, 'g', gone)
redis.call('PEXPIRE', KEYS[2], ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {epoch, offset}

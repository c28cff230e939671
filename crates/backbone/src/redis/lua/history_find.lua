-- Where a message is in a history, the latest first.
-- KEYS: 1 the top, 2 the stream of messages
-- ARGV: 1 the message
-- Answers with {epoch, offset}, or nil if it is not there or not kept any more.
local epoch = redis.call('HGET', KEYS[1], 'e')
if not epoch then
    return false
end
for _, entry in ipairs(redis.call('XREVRANGE', KEYS[2], '+', '-')) do
    if entry[2][2] == ARGV[1] then
        return {epoch, string.match(entry[1], '^%d+')}
    end
end
return false

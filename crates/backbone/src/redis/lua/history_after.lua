-- What came after a position.
-- KEYS: 1 the top, 2 the stream of messages
-- ARGV: 1 the epoch, 2 the offset, 3 how many messages at most
-- Answers with {'whole', message, message, ...}, {'epoch'}, {'ahead'}, {'many'} or {'trimmed'}.
local top = redis.call('HMGET', KEYS[1], 'e', 'o')
if top[1] ~= ARGV[1] then
    return {'epoch'}
end
local missed = tonumber(top[2]) - tonumber(ARGV[2])
if missed < 0 then
    return {'ahead'}
end
if missed > tonumber(ARGV[3]) then
    return {'many'}
end
local answer = {'whole'}
if missed == 0 then
    return answer
end
local found = redis.call('XRANGE', KEYS[2], string.format('%.0f-0', tonumber(ARGV[2]) + 1), '+')
if #found ~= missed then
    return {'trimmed'}
end
for index, entry in ipairs(found) do
    answer[index + 1] = entry[2][2]
end
return answer

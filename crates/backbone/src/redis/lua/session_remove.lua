-- Ends a session.
-- KEYS: 1 the session
-- ARGV: 1 the fence of the hold
-- Answers with 'kept' if it was held, or 'gone' or 'taken'.
local fence = redis.call('HGET', KEYS[1], 'f')
if not fence then
    return 'gone'
end
if fence ~= ARGV[1] then
    return 'taken'
end
redis.call('DEL', KEYS[1])
return 'kept'

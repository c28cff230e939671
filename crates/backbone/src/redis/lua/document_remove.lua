-- Removes a value if what is expected is there.
-- KEYS: 1 the document
-- ARGV: 1 'any', 'absent' or the version that must be there
-- Answers with {1, ''}, or {0, version that is there or ''}.
local there = redis.call('HGET', KEYS[1], 'v')
if ARGV[1] ~= 'any' and ARGV[1] ~= (there or 'absent') then
    return {0, there or ''}
end
redis.call('DEL', KEYS[1])
return {1, ''}

-- Writes a value if what is expected is there.
-- KEYS: 1 the document, a hash of v (version) and d (value)
-- ARGV: 1 'any', 'absent' or the version that must be there, 2 the value, 3 for how long in milliseconds, 0 for ever
-- Answers with {1, version}, or {0, version that is there or ''}. A version is at least the time in microseconds, so that
-- it grows even over removals.
local there = redis.call('HGET', KEYS[1], 'v')
if ARGV[1] ~= 'any' and ARGV[1] ~= (there or 'absent') then
    return {0, there or ''}
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local version = string.format('%.0f', math.max(now, tonumber(there or '0') + 1))
redis.call('HSET', KEYS[1], 'v', version, 'd', ARGV[2])
if ARGV[3] == '0' then
    redis.call('PERSIST', KEYS[1])
else
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
end
return {1, version}

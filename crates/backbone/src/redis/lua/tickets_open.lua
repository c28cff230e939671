-- Opens the tickets of a scope: whoever opened them before is refused from now on.
-- KEYS: 1 the keeper, a hash of f (fence), o (opening), b (number of the last batch), a (its answer), n (see tickets_anew)
-- ARGV: 1 the fence, 2 for how long to keep it, in milliseconds
-- Answers with {opening, number of the last batch}, or nil if a greater fence has opened them. An opening is at least the time
-- in microseconds, so that it grows even when the last one was lost.
local there = redis.call('HMGET', KEYS[1], 'f', 'o', 'b')
if there[1] and tonumber(there[1]) > tonumber(ARGV[1]) then
    return false
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local opening = string.format('%.0f', math.max(now, tonumber(there[2] or '0') + 1))
local number = there[3] or '0'
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'f', ARGV[1], 'o', opening, 'b', number)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {opening, number}

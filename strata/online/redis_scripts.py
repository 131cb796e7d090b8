"""What a Redis server does for the journal in one step each: Lua scripts, run whole or not at all.

Keys, all with one hash tag so that a cluster keeps them together: `facts` (a hash), `records` (place → value), `ids`
(key of kind and id → place), `last` (key of a user → place of the latest record of STATE), and for each kind and each
user the places of its records (sorted sets). A value begins with HEADER: keys of its id and its user (zeros for none),
digest, time; then the kind, a line feed, and JSON.

No stream keeps the records: a deleted entry of one stays in its block of memory, and goes to the disk with it.
"""

import struct
from typing import Final

from strata.online.records import STATE

HEADER: Final = struct.Struct(">16s16s32sd")
NOBODY: Final = bytes(16)
OTHER: Final = "OTHERJOURNAL"
"""The error where the server has lost the journal, or has another under its name."""

_SAME: Final = f"""
if redis.call('hget', KEYS[1], 'name') ~= ARGV[1] then return redis.error_reply('{OTHER}') end
"""
_UNLIMITED: Final = """
redis.call('hdel', KEYS[1], '')  -- a write that needs no memory, after which a full server does the others too
"""
_OF_STATE: Final = f"""
local STATE = {{{", ".join(f"{kind} = true" for kind in STATE)}}}
local function is_of_state(value) return STATE[string.match(value, '^(%a+)\\n', 73)] end
"""
_REMOVE: Final = """
local function remove(place, value, of_kind, of_user)
    redis.call('hdel', KEYS[3], string.sub(value, 1, 16))
    redis.call('hdel', KEYS[2], place)
    redis.call('zrem', of_kind, place)
    redis.call('zrem', of_user, place)
end
"""
_KEEP: Final = """
local function keep(place, value, of_kind, of_user)
    local written = string.format('%d', place)
    redis.call('hset', KEYS[2], written, value)
    redis.call('hset', KEYS[3], string.sub(value, 1, 16), written)
    redis.call('zadd', of_kind, written, written)
    if of_user then
        redis.call('zadd', of_user, written, written)
        if is_of_state(value) then redis.call('hset', KEYS[4], string.sub(value, 17, 32), written) end
    end
end
"""

START: Final = """
redis.call('hsetnx', KEYS[1], 'version', ARGV[1])
redis.call('hsetnx', KEYS[1], 'name', ARGV[2])
redis.call('hsetnx', KEYS[1], 'began', ARGV[3])
return redis.call('hmget', KEYS[1], 'version', 'name', 'began')
"""
"""facts → version, name and beginning, made where there are none."""

APPEND: Final = f"""{_SAME}{_OF_STATE}{_KEEP}
local count, known, differing = (#ARGV - 1) / 3, {{}}, {{}}
for n = 1, count do
    local value = ARGV[3 * n + 1]
    local id, digest = string.sub(value, 1, 16), string.sub(value, 33, 64)
    if not known[id] then
        local place = redis.call('hget', KEYS[3], id)
        local there = place and redis.call('hget', KEYS[2], place)
        known[id] = {{place, there and string.sub(there, 33, 64) or digest}}
    end
    if known[id][2] ~= digest then differing[#differing + 1] = n - 1 end
end
if #differing > 0 then return {{0, differing}} end
local accepted, place = {{}}, tonumber(redis.call('hget', KEYS[1], 'place') or 0)
for n = 1, count do
    local value = ARGV[3 * n + 1]
    local there = known[string.sub(value, 1, 16)]
    local new = not there[1]
    if new then
        place = place + 1
        there[1] = place
        keep(place, value, KEYS[tonumber(ARGV[3 * n - 1])], KEYS[tonumber(ARGV[3 * n])])
    end
    accepted[2 * n - 1], accepted[2 * n] = tonumber(there[1]), new and 1 or 0
end
redis.call('hset', KEYS[1], 'place', string.format('%d', place))
return {{1, accepted}}
"""
"""facts, records, ids, last, keys of kinds and users; name, and for each record the numbers of its two keys (for nobody
one past the last) and its value → 0 and which differ, from 0 on, or 1 and of each its place and whether it is new."""

READ: Final = f"""{_SAME}
local places = {{}}
for n = 3, #KEYS do
    for _, place in ipairs(redis.call('zrangebyscore', KEYS[n], '(' .. ARGV[2], '+inf', 'limit', 0, ARGV[3])) do
        places[#places + 1] = place
    end
end
if #KEYS > 3 then table.sort(places, function(a, b) return tonumber(a) < tonumber(b) end) end
local found = {{}}
for n = 1, math.min(#places, tonumber(ARGV[3])) do
    found[2 * n - 1], found[2 * n] = places[n], redis.call('hget', KEYS[2], places[n])
end
return found
"""
"""facts, records, then keys of kinds or of a user; name, place, how many at most → after it places and values."""

LAST: Final = f"""{_SAME}
return tonumber(redis.call('hget', KEYS[2], ARGV[2]) or 0)
"""
"""facts, last; name, key of the user → the place of the latest record of STATE, or 0."""

FORGET: Final = f"""{_SAME}{_UNLIMITED}{_OF_STATE}{_KEEP}{_REMOVE}
local of_kind = {{}}
for n = 4, #ARGV do of_kind[ARGV[n]] = KEYS[n + 2] end
local places = redis.call('zrange', KEYS[5], 0, -1)
for _, place in ipairs(places) do
    local value = redis.call('hget', KEYS[2], place)
    remove(place, value, of_kind[string.match(value, '^(%a+)\\n', 73)], KEYS[5])
end
redis.call('hdel', KEYS[4], ARGV[3])
local before = redis.call('hget', KEYS[3], string.sub(ARGV[2], 1, 16))
if before then redis.call('hdel', KEYS[2], before); redis.call('zrem', of_kind.erasure, before) end
keep(redis.call('hincrby', KEYS[1], 'place', 1), ARGV[2], of_kind.erasure)
redis.call('hincrby', KEYS[1], 'removed', 1)
return #places
"""
"""facts, records, ids, last, keys of the user and of all kinds; name, value of the erasure, key of the user in `last`,
all kinds → how many went."""

RETAIN: Final = f"""{_SAME}{_OF_STATE}{_REMOVE}
local function latest(of_user)
    for _, place in ipairs(redis.call('zrevrange', of_user, 0, -1)) do
        if is_of_state(redis.call('hget', KEYS[2], place)) then return place end
    end
end
local gone, last = 0, ARGV[2]
for _, place in ipairs(redis.call('zrangebyscore', KEYS[5], '(' .. ARGV[2], '+inf', 'limit', 0, ARGV[4])) do
    local value = redis.call('hget', KEYS[2], place)
    if struct.unpack('>d', value, 65) < tonumber(ARGV[3]) then
        local user = string.sub(value, 17, 32)
        remove(place, value, KEYS[5], ARGV[5] .. user)
        if redis.call('hget', KEYS[4], user) == place then
            local before = latest(ARGV[5] .. user)
            if before then redis.call('hset', KEYS[4], user, before) else redis.call('hdel', KEYS[4], user) end
        end
        gone = gone + 1
    end
    last = place
end
if gone > 0 then redis.call('hincrby', KEYS[1], 'removed', 1) end
return {{last, gone}}
"""
"""facts, records, ids, last, key of a kind; name, place, time, how many to look at, start of users' keys (which values
tell; of the same hash tag) → the last place looked at, and how many went."""

RAISE: Final = f"""{_SAME}{_UNLIMITED}
if tonumber(ARGV[3]) > tonumber(redis.call('hget', KEYS[1], ARGV[2]) or 0) then
    redis.call('hset', KEYS[1], ARGV[2], ARGV[3])
end
return 1
"""
"""facts; name, field, number: the field becomes the number unless it is higher."""

MARK: Final = f"""{_SAME}{_UNLIMITED}
return redis.call('hset', KEYS[1], 'sweeping', ARGV[2], 'rewrites', ARGV[3], 'run', ARGV[4])
"""
"""facts; name, the removals that the next rewriting leaves out, rewritings of this run of the server, the run."""

CHECK: Final = f"""{_SAME}
return redis.call('hset', KEYS[1], 'checked', ARGV[2])
"""
"""facts; name, time: a write as good as any."""

"""What the shared cache has Redis do in one step.

Keys: the moment at which the server's run was first seen, the value, the lease on its loading,
and for each fence its token and the writers at work, each with the moment at which it is taken
for dead. The last fence is that of everything: what is told as a token of another fence ends
with its token. A value is stored behind its fences' tokens: how many of them decide, the tokens,
and a line break. Redis is told of it in a line, and the value after it: it takes the reader's
process less to read one text than a list.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Script:
    """A script of Redis, and the name under which it remembers it."""

    text: str
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "digest", digest)


_COMMON: Final = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local last = #KEYS - 1
local day = 86400000
local function is_pending(warm_up_ms)
  redis.call('SET', KEYS[1], now, 'NX')
  if now < tonumber(redis.call('GET', KEYS[1])) + warm_up_ms then return true end
  for i = 4, last, 2 do
    if redis.call('ZCOUNT', KEYS[i + 1], '(' .. now, '+inf') > 0 then return true end
  end
  return false
end
"""

LOOK: Final = Script(
    _COMMON
    + """
local function told(pending, may_load, left_ms, tokens, value)
  local is_known = value and 1 or 0
  local head = table.concat({pending, may_load, is_known, left_ms, unpack(tokens)}, ' ')
  return head .. '\\n' .. (value or '')
end
local tokens = {}
for i = 4, last, 2 do
  local token = redis.call('GET', KEYS[i])
  if not token then
    token = ARGV[1] .. '.' .. i
    redis.call('SET', KEYS[i], token, 'PX', day)
  end
  tokens[#tokens + 1] = token
end
local everything = table.remove(tokens)
for i = 1, #tokens do tokens[i] = tokens[i] .. '@' .. everything end
if is_pending(tonumber(ARGV[2])) then return told(1, 0, 0, tokens) end
local stored = redis.call('GET', KEYS[2])
if stored then
  local stop = string.find(stored, '\\n', 1, true)
  local count, head = string.match(string.sub(stored, 1, stop - 1), '^(%d+) (.*)$')
  if head == table.concat(tokens, ' ', 1, tonumber(count)) then
    local left = redis.call('PTTL', KEYS[2])
    return told(0, 1, left, tokens, string.sub(stored, stop + 1))
  end
end
local leads = redis.call('SET', KEYS[3], '1', 'NX', 'PX', ARGV[3])
return told(0, leads and 1 or 0, 0, tokens)
"""
)

STORE: Final = Script(
    _COMMON
    + """
redis.call('DEL', KEYS[3])
if is_pending(tonumber(ARGV[4])) then return 0 end
local everything = redis.call('GET', KEYS[last])
if not everything then return 0 end
local place = 5
for i = 4, last - 2, 2 do
  local token = redis.call('GET', KEYS[i])
  if not token or token .. '@' .. everything ~= ARGV[place] then return 0 end
  place = place + 1
end
local count = tonumber(ARGV[2])
local head = count .. ' ' .. table.concat(ARGV, ' ', 5, 4 + count)
redis.call('SET', KEYS[2], head .. '\\n' .. ARGV[1], 'PX', ARGV[3])
return 1
"""
)

BEGIN: Final = Script(
    _COMMON
    + """
local mark_ms = tonumber(ARGV[2])
redis.call('SET', KEYS[1], now, 'NX')
for i = 4, last - 2, 2 do
  redis.call('SET', KEYS[i], ARGV[1] .. '.' .. i, 'PX', day)
  redis.call('ZREMRANGEBYSCORE', KEYS[i + 1], '-inf', now)
  redis.call('ZADD', KEYS[i + 1], now + mark_ms, ARGV[3])
  redis.call('PEXPIRE', KEYS[i + 1], mark_ms * 2)
end
return 1
"""
)

END: Final = Script(
    _COMMON
    + """
for i = 4, last - 2, 2 do
  redis.call('SET', KEYS[i], ARGV[1] .. '.' .. i, 'PX', day)
  if ARGV[2] ~= '' then redis.call('ZREM', KEYS[i + 1], ARGV[2]) end
end
return 1
"""
)

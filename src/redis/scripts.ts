/**
 * What Redis does in one step. A session is a hash at KEYS[1]: a field for each piece of the saved
 * session, named by its number and the hash of its bytes, and "pieces", the names of those that
 * make it up, in order. The token at KEYS[2] says whose turn it is.
 */

/** Prolongs the turn of ARGV[1] by ARGV[2] milliseconds. */
export const PROLONG = `
if redis.call("GET", KEYS[2]) ~= ARGV[1] then return "lost" end
redis.call("PEXPIRE", KEYS[2], ARGV[2])
return "done"`;

/** Ends the turn of ARGV[1]. */
export const RELEASE = `
if redis.call("GET", KEYS[2]) ~= ARGV[1] then return "lost" end
redis.call("DEL", KEYS[2])
return "done"`;

/** In the turn of ARGV[1], writes the piece ARGV[3]; a new hash goes after ARGV[2] seconds. */
export const WRITE = `
if redis.call("GET", KEYS[2]) ~= ARGV[1] then return "lost" end
redis.call("HSET", KEYS[1], ARGV[3], ARGV[4])
if redis.call("TTL", KEYS[1]) < 0 then redis.call("EXPIRE", KEYS[1], ARGV[2]) end
return "done"`;

/**
 * In the turn of ARGV[1], makes the pieces ARGV[3..] the session, for ARGV[2] seconds, and drops
 * the others; "missing" if Redis has evicted one.
 */
export const COMMIT = `
if redis.call("GET", KEYS[2]) ~= ARGV[1] then return "lost" end
local kept = { pieces = true }
for i = 3, #ARGV do
  if redis.call("HEXISTS", KEYS[1], ARGV[i]) == 0 then return "missing" end
  kept[ARGV[i]] = true
end
redis.call("HSET", KEYS[1], "pieces", table.concat(ARGV, " ", 3))
for _, field in ipairs(redis.call("HKEYS", KEYS[1])) do
  if not kept[field] then redis.call("HDEL", KEYS[1], field) end
end
redis.call("EXPIRE", KEYS[1], ARGV[2])
return "done"`;

// Threads that compute together: a barrier between steps. They sleep in JavaScript
// (src/kernels/team.ts), for an engine that has memory.atomic.wait32 wrong is still in use.

//   Team, 256 bytes: each word in a cache line of its own
//   +-------------------------------------------------------------------+
//   |   0  i32  arrived: threads that wait at the barrier               |
//   |  64  i32  turn: barriers passed so far                            |
//   | 128  i32  announced: pieces of work announced so far              |
//   | 192  i32  sleeping: threads that sleep                            |
//   +-------------------------------------------------------------------+
const TURN: usize = 64;
const SLEEPING: usize = 192;

/** Looks before a thread may sleep: some 20 microseconds, longer than most waits within a token. */
const SPINS: i32 = 20000;

/**
 * Waits a little until all `count` threads of the team are here. What they wrote before is then
 * seen by all. Returns 1, or 0 where the others are not here yet: the turn has not changed.
 *
 *   team   Team
 */
export function joinTeam(team: usize, count: i32): i32 {
  const turn = atomic.load<i32>(team, TURN);
  if (atomic.add<i32>(team, 1) + 1 < count) return spinWhile(team + TURN, turn);
  atomic.store<i32>(team, 0);
  atomic.add<i32>(team, 1, TURN);
  if (atomic.load<i32>(team, SLEEPING) != 0) atomic.notify(team + TURN, -1);
  return 1;
}

/** Looks a little while whether the i32 at address changes: 1 once it is another than value. */
export function spinWhile(address: usize, value: i32): i32 {
  for (let i = 0; i < SPINS; i++) if (atomic.load<i32>(address) != value) return 1;
  return 0;
}

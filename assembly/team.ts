// A barrier for threads that compute together, between steps. They sleep in JavaScript
// (src/kernels/team.ts), because an engine with a faulty memory.atomic.wait32 is still in use.

//   Team, 960 bytes: each word in a cache line of its own
//   +-------------------------------------------------------------------+
//   |   0  i32  arrived: threads waiting at the barrier                 |
//   |  64  i32  turn: barriers passed so far                            |
//   | 128  i32  announced: the last piece of work, and how many threads |
//   |      take part in it                                              |
//   | 192  i32  sleeping: threads asleep at the barrier                 |
//   | 256  i32[8], 64 bytes apart, taken: parts of steps taken so far;  |
//   |      steps use the words in turn                                  |
//   | 768  i32  late: microseconds that threads slept at the barrier    |
//   | 832  i32  roster: changes when resting threads are needed again   |
//   | 896  i32  dismissed: threads from this index on return; 0: none   |
//   +-------------------------------------------------------------------+
const TURN: usize = 64;
const SLEEPING: usize = 192;

/** Looks for work, which may not come for long: some 50 microseconds. */
const WORK_SPINS: i32 = 40000;

/**
 * Waits briefly, at most `spins` looks, until all `count` threads of the team arrive; what they
 * wrote before is then visible to all. Returns 2 for the last to arrive, 1 if the last arrived
 * meanwhile, or 0 if others are missing: the turn has not changed.
 *
 *   team   Team
 */
export function joinTeam(team: usize, count: i32, spins: i32): i32 {
  const turn = atomic.load<i32>(team, TURN);
  if (atomic.add<i32>(team, 1) + 1 < count) return spin(team + TURN, turn, spins);
  atomic.store<i32>(team, 0);
  atomic.add<i32>(team, 1, TURN);
  if (atomic.load<i32>(team, SLEEPING) != 0) atomic.notify(team + TURN, -1);
  return 2;
}

/** Looks briefly whether the i32 at address changes: 1 once it differs from value. */
export function spinWhile(address: usize, value: i32): i32 {
  return spin(address, value, WORK_SPINS);
}

// @ts-ignore: decorator
@inline
function spin(address: usize, value: i32, looks: i32): i32 {
  for (let i = 0; i < looks; i++) if (atomic.load<i32>(address) != value) return 1;
  return 0;
}

import { setImmediate as nextTurn } from "node:timers/promises";

/** For how long work may keep all other requests waiting, in milliseconds, where it can stop. */
const TURN = 10;

/** For loops whose steps may take long: waits for everybody else's turn once this one's has lasted long enough. */
export function createGivingWay(): () => Promise<void> {
  let began = performance.now();
  return async () => {
    if (performance.now() - began < TURN) return;
    await nextTurn();
    began = performance.now();
  };
}

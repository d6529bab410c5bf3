/**
 * `vouchsafe witness` killed again and again (SIGKILL) while a log that forks submits to it: it never cosigns two
 * trees of which neither extends the other. A few times, or many where VOUCHSAFE_LONG=1 asks for it.
 */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { IS_LONG } from "../support/long.ts";
import type { NaiveTree } from "../tlog/naive-tree.ts";
import { forkedLog } from "./forked-log.ts";
import { startWitness } from "./witness-process.ts";

const [KILLS, TIMEOUT] = IS_LONG ? [200, 1_200_000] : [4, 60_000];
const log = forkedLog();

let directory: string;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), "vouchsafe-witness-crash-"));
});
after(() => rm(directory, { recursive: true, force: true }));

test("a witness that is killed while it writes cosigns no fork after it", { timeout: TIMEOUT }, async (t) => {
  /** What was cosigned last, as far as anybody was told. */
  let size = 0;
  let interrupted = 0;
  for (let round = 0; round < KILLS; round += 1) {
    const witness = await startWitness(directory, { name: "w.example", logs: [log.verifierKey] });
    t.after(() => witness.kill());
    const submit = async (tree: NaiveTree, old: number, to: number) =>
      fetch(`${witness.url}/add-checkpoint`, { method: "POST", body: log.submission(tree, old, to) })
        .then(async (answer) => ({ status: answer.status, body: await answer.text() }))
        .catch(() => undefined);

    // Each way in which a witness that forgot the last tree would be led astray.
    for (let old = Math.max(0, size - 2); size > 0 && old <= size; old += 1) {
      const astray = await submit(log.fork(size - 1), old, size);
      assert.notEqual(astray?.status, 200, `another tree of ${size} was cosigned after ${old}`);
    }
    // A tree that was remembered and never answered for is as good: the log asks how far the witness is.
    const told = Number((await submit(log.trunk, 589, 590))?.body);
    assert.ok(told >= size, `the witness is at ${told}, and had cosigned ${size}`);
    size = told;

    const killed = sleep(Math.random() * 12).then(() => witness.kill());
    for (let ended = false; !ended && size < 580; ) {
      const answer = await submit(log.trunk, size, size + 1);
      if (answer?.status === 200) size += 1;
      else {
        ended = true;
        interrupted += 1;
        assert.equal(answer, undefined, answer?.body);
      }
    }
    await killed;
    if (size < 500) continue;
    await rm(directory, { recursive: true, force: true });
    size = 0;
  }
  assert.ok(interrupted > 0, "no submission was ever interrupted");
});

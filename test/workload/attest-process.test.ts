/** What several attestors say of one process, put together. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { VouchsafeError } from "../../src/errors.ts";
import { sha256 } from "../../src/in-toto-attestation/digest.ts";
import { attestProcess } from "../../src/workload/attest-process.ts";
import type { Attestation } from "../../src/workload/attestors/attestor.ts";
import { denied } from "../../src/workload/denied.ts";
import { cannotMakeCgroups, makeCgroup } from "./attestors/cgroups.ts";
import { startProgram, type Workload } from "./run-workload.ts";

const [ONE, TWO] = [sha256("one"), sha256("two")];
const image = (...digests: (typeof ONE)[]): Attestation => ({
  selectors: [],
  components: { image: digests },
});
const selectors = (...texts: string[]): Attestation => ({ selectors: texts, components: {} });
const away = new VouchsafeError("unavailable", "the runtime is away");

describe("what attestors say together", {
  skip: process.platform !== "linux" && "only Linux attests",
}, () => {
  let program: Workload;
  before(() => {
    program = startProgram("/bin/sleep", ["60"]);
  });
  after(() => program.stop());

  const attested = (...answers: (Attestation | Error | (() => Promise<Attestation>))[]) =>
    attestProcess(program.child.pid ?? 0, {
      attestors: answers.map((answer, index) => ({
        name: String(index),
        async attest() {
          if (answer instanceof Error) throw answer;
          return typeof answer === "function" ? answer() : answer;
        },
      })),
    });

  test("is all of it: of digests that differ each one, of equal ones one, of selectors each once", async () => {
    assert.deepEqual((await attested(image(ONE), image(ONE, TWO))).components, { image: [ONE, TWO] });
    const both = await attested(selectors("b", "a"), selectors("b", "c"));
    assert.deepEqual(both.selectors, ["a", "b", "c"]);
  });

  test("leaves out selectors that no policy could be meant to match, and the reason for what another knows", async () => {
    const odd = await attested(selectors("docker:label:a:b\nunix:uid:0", `k8s:${"x".repeat(5000)}`, "fine"));
    assert.deepEqual(odd.selectors, ["fine"]);
    const unknown: Attestation = { ...selectors(), absent: { image: "image-unknown" } };
    assert.deepEqual((await attested(unknown)).absent, { image: "image-unknown" });
    assert.deepEqual((await attested(unknown, image(ONE))).absent, {});
  });

  test("is nothing where one has no answer, and a denial where one denies besides", async () => {
    await assert.rejects(attested(image(ONE), away), { code: "unavailable" });
    for (const answers of [
      [away, denied("container-mismatch", "no")],
      [denied("container-mismatch", "no"), away],
    ]) {
      await assert.rejects(attested(...answers), { code: "identity-denied" });
    }
  });

  test("is nothing for a process that was moved meanwhile", { skip: cannotMakeCgroups() }, async (t) => {
    const cgroup = await makeCgroup(`/vouchsafe-moved-${process.pid}`);
    t.after(async () => {
      await program.stop();
      await cgroup.remove();
    });
    const move = async () => {
      await cgroup.add(program.child.pid);
      return image(ONE);
    };
    const reasons = [{ code: "cgroup-changed" }];
    await assert.rejects(attested(move), { code: "identity-denied", extensions: { reasons } });
    assert.deepEqual((await attested(image(ONE))).components, { image: [ONE] });
  });
});

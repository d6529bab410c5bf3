import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { selectorsFor } from "../../../src/workload/spire/selectors.ts";

const [ONE, OTHER] = [sha256(Buffer.from("one")), sha256(Buffer.from("other"))];
/** Levels at which each policy lets a digest through. */
const allowing = (levels: Readonly<Record<string, Readonly<Record<string, number>>>>) => {
  return async (digest: string, policy: string) => {
    const slsaLevel = levels[policy]?.[digest];
    return slsaLevel === undefined ? undefined : { slsaLevel };
  };
};

test("a policy's selector holds where it lets every digest through", async () => {
  const ask = allowing({ strict: { [ONE]: 3 }, lax: { [ONE]: 2, [OTHER]: 0 } });
  assert.deepEqual(await selectorsFor([ONE, OTHER], ["strict", "lax"], ask), [
    "policy:lax",
    `digest:${ONE}`,
    `digest:${OTHER}`,
  ]);
  assert.deepEqual(await selectorsFor([OTHER], ["strict"], ask), []);
  assert.deepEqual(await selectorsFor([], ["strict", "lax"], ask), [], "nothing that runs passes nothing");
});

test("each SLSA level up to the one that all digests have under one policy", async () => {
  const ask = allowing({ strict: { [ONE]: 3, [OTHER]: 2 }, lax: { [ONE]: 1, [OTHER]: 1 } });
  const levels = (await selectorsFor([ONE, OTHER], ["lax", "strict"], ask)).filter((one) =>
    one.startsWith("slsa"),
  );
  assert.deepEqual(levels, ["slsa:1", "slsa:2"]);
});

test("what cannot be asked about makes the whole fail", async () => {
  const ask = async (_: string, policy: string) => {
    if (policy === "away") throw new Error("no answer");
    return { slsaLevel: 3 };
  };
  await assert.rejects(selectorsFor([ONE], ["here", "away"], ask), /no answer/);
});

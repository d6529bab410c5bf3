import assert from "node:assert/strict";
import { test } from "node:test";
import { runChunk } from "./chunk.ts";
import { compare } from "./compare.ts";
import { loadOriginals } from "./originals.ts";
import { placesOf } from "./places.ts";

const originals = await loadOriginals();

/** Some seconds of one core; `npm run differential` goes on from there. */
const MUTATIONS = 200;

test("a mutated bundle is accepted for what was signed, and the library agrees or a rule says why", () => {
  const { failure, tally } = runChunk(originals, 20_260_301, MUTATIONS);
  assert.equal(failure, undefined);
  for (const outcome of ["both accept", "both refuse", "no member is unknown"]) {
    assert.ok((tally[outcome] ?? 0) > 0, `no mutation came to: ${outcome}`);
  }
});

test("a whole part of another bundle of the same trust lends nothing of what it proves", () => {
  const local = originals.filter(({ id }) => id.startsWith("local/"));
  for (const [original, { json }] of local.entries()) {
    const parts = placesOf(json).flatMap(({ path }, place) => (path.split("/").length <= 3 ? [place] : []));
    for (const [nearest, place] of [0, 1, 2].flatMap((near) =>
      parts.map((place) => [near, place] as const),
    )) {
      const step = { on: "structure", act: "take", place, with: 0 } as const;
      // An even number picks among those of the same trust.
      compare({ original, other: 2 * nearest, steps: [step] }, local);
    }
  }
});

test("an unchanged bundle is one that both accept", () => {
  for (const original of originals.keys()) {
    assert.deepEqual(compare({ original, other: 1, steps: [] }, originals), { case: "both accept" });
  }
});

test("what was accepted and nobody signed is a finding", () => {
  const [first] = originals;
  assert.ok(first?.answer.case === "accepted");
  const { signature } = first.answer;
  const someoneElse = { ...first, answer: { ...first.answer, said: "another" } };
  assert.throws(() => compare({ original: 0, other: 0, steps: [] }, [someoneElse]), { name: "Finding" });
  const timeless = { ...signature, findings: { ...signature.findings, times: [] } };
  const earlier = { ...first, answer: { ...first.answer, signature: timeless } };
  assert.throws(() => compare({ original: 0, other: 0, steps: [] }, [earlier]), { name: "Finding" });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import { createEvidenceBudget } from "../../../src/services/verification/evidence-budget.ts";

const [LAYER, OTHER] = [sha256("layer"), sha256("other layer")];
const [FLOODED, IMAGE, INDEX] = [sha256("flooded"), sha256("image"), sha256("index")];
const evidence = (count: number, size: number) =>
  Array.from({ length: count }, (_, i) => ({ id: sha256(`${count} ${i}`), index: i, size, verifiedAt: 0 }));
const FOUND = {
  attestations: new Map([
    [FLOODED, evidence(9, 10)],
    [IMAGE, evidence(2, 40)],
    [INDEX, evidence(1, 20)],
  ]),
};

test("what there is too much evidence about is left out whole, and takes no room from what follows", () => {
  const { choose } = createEvidenceBudget({ attestations: 8, bytes: 1000 });
  const chosen = choose(new Map([[LAYER, [FLOODED, IMAGE, INDEX]]]), FOUND);
  assert.deepEqual([...chosen], [IMAGE, INDEX]);
});

test("bytes count as attestations do, and over all rounds together", () => {
  const { choose } = createEvidenceBudget({ attestations: 8, bytes: 99 });
  assert.deepEqual([...choose(new Map([[LAYER, [IMAGE]]]), FOUND)], [IMAGE]);
  assert.deepEqual([...choose(new Map([[LAYER, [INDEX]]]), FOUND)], []);
});

test("each artifact has room of its own", () => {
  const { choose } = createEvidenceBudget({ attestations: 3, bytes: 99 });
  const wanted = new Map([
    [LAYER, [IMAGE]],
    [OTHER, [INDEX]],
  ]);
  assert.deepEqual([...choose(wanted, FOUND)], [IMAGE, INDEX]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatTlogProof } from "../../src/tlog/tlog-proof.ts";

test("has index, hashes and checkpoint as the specification's example has them", () => {
  const checkpoint = "example.com/log\n2\nc2Fs\n\n— example.com/log c2ln\n";
  assert.equal(
    formatTlogProof({ index: 1, hashes: ["aGFzaA=="], checkpoint }),
    `c2sp.org/tlog-proof@v1\nindex 1\naGFzaA==\n\n${checkpoint}`,
  );
  assert.equal(
    formatTlogProof({ index: 0, hashes: [], checkpoint }),
    `c2sp.org/tlog-proof@v1\nindex 0\n\n${checkpoint}`,
  );
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { tellFalls } from "../../../src/cli/output/revocation-words.ts";
import type { Falls } from "../../../src/client/revocation-types.ts";
import { recordedTerminal } from "../../support/recorded-terminal.ts";

const APP = `sha256:${"a".repeat(64)}`;
const REQUESTER = "spiffe://example.org/vouchsafe/agent/node-1";
const NOTHING: Falls = {
  artifacts: [],
  identities: [],
  workloads: [],
  gains: [],
  totals: { artifacts: 0, identities: 0, workloads: 0, gains: 0 },
  truncated: false,
  complete: true,
};

function told(falls: Partial<Falls>): readonly string[] {
  const { terminal, written } = recordedTerminal();
  tellFalls(terminal, { ...NOTHING, ...falls }, "would fall");
  return `${written.stdout}${written.stderr}`.trimEnd().split("\n");
}

test("what falls is told from the counts to the names, in columns", () => {
  const workload = { workload: "app", spiffeId: "spiffe://example.org/app", requester: REQUESTER };
  const identity = { spiffeId: workload.spiffeId, requester: REQUESTER };
  const lines = told({
    artifacts: [{ digest: APP, policies: ["release", "scanned"] }],
    identities: [
      { ...identity, kind: "jwt", serial: "j-1", expiresAt: "2026-03-01T12:05:00.000Z" },
      { ...identity, kind: "x509", serial: "4a", expiresAt: "2026-03-01T12:10:00.000Z" },
    ],
    workloads: [{ ...workload, digests: [APP] }],
    totals: { artifacts: 1201, identities: 2, workloads: 1, gains: 0 },
    truncated: true,
  });
  assert.deepEqual(lines, [
    "would fall: 1201 artifacts, 2 live identities, 1 workload",
    `  WORKLOAD  SPIFFE ID                 HELD BY${" ".repeat(REQUESTER.length - 7)}  RUNS`,
    `  app       spiffe://example.org/app  ${REQUESTER}  ${APP}`,
    "  VALID UNTIL           KIND  SPIFFE ID                 SERIAL",
    "  2026-03-01 12:10:00Z  x509  spiffe://example.org/app  4a",
    "  2026-03-01 12:05:00Z  jwt   spiffe://example.org/app  j-1",
    `  ARTIFACT${" ".repeat(APP.length - 8)}  PASSES NO LONGER`,
    `  ${APP}  release scanned`,
    "  and 1200 more",
  ]);
});

test("what passes only now is told as something to beware of, and that there was no time to see all", () => {
  const totals = { ...NOTHING.totals, gains: 1 };
  assert.deepEqual(told({ gains: [{ digest: APP, policies: ["scanned"] }], totals, complete: false }), [
    "would fall: at least 0 artifacts, 0 live identities, 0 workloads",
    "beware: 1 artifact that this evidence was against",
    `  ARTIFACT${" ".repeat(APP.length - 8)}  PASSES FROM NOW ON`,
    `  ${APP}  scanned`,
    "there was no time to judge every artifact: more can fall than is told here",
  ]);
});

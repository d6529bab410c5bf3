import assert from "node:assert/strict";
import { test } from "node:test";
import { custodyTree } from "../../../src/cli/custody/tree.ts";
import { printTree } from "../../../src/cli/output/tree.ts";
import type { CustodySummary, Line } from "../../../src/custody/summary/custody-summary.ts";
import type { Listed } from "../../../src/custody/summary/listed.ts";
import { type Digest, sha256 } from "../../../src/in-toto-attestation/index.ts";
import { recordedTerminal } from "../../support/recorded-terminal.ts";

const ARTIFACT = sha256(Buffer.from("artifact"));
const IMAGE = sha256(Buffer.from("image"));
const AS_OF = "2026-03-01T12:00:00.000Z";
const BEFORE = "2026-03-01T11:00:00.000Z";
const AFTER = "2026-03-01T13:00:00.000Z";

function of<T extends Line>(...newest: readonly T[]): Listed<T> {
  return { count: newest.length, newest };
}
const line = (index: number, chain?: Digest) => ({
  index,
  time: BEFORE,
  ...(chain !== undefined && { chain }),
});
const EMPTY: CustodySummary = {
  names: [],
  aliases: of(),
  sources: of(),
  builders: of(),
  evidence: of(),
  revocations: of(),
  containment: of(),
  verdicts: of(),
  approvals: of(),
  exceptions: of(),
  identities: of(),
  denials: of(),
  decisions: of(),
  grantsSince: null,
  quarantines: of(),
  holds: of(),
  others: of(),
};
const verdict = (index: number, more: Partial<CustodySummary["verdicts"]["newest"][number]> = {}) => ({
  ...line(index),
  policy: "release",
  outcome: "passed" as const,
  slsaLevel: 3,
  validUntil: null,
  attestations: [],
  restsOn: [],
  miss: null,
  policiesActivated: 1,
  trustActivated: 2,
  policyInForce: true,
  ...more,
});

const UTF8 = { LANG: "C.UTF-8", TERM: "xterm" };

function drawn(summary: Partial<CustodySummary>, env: NodeJS.ProcessEnv = {}, isTTY = false): string {
  const { terminal, written } = recordedTerminal(env, isTTY);
  printTree(terminal, custodyTree({ ...EMPTY, ...summary }, ARTIFACT, AS_OF));
  return written.stdout;
}

test("a tree has a branch for each kind that there is, in ASCII where nobody looks on", () => {
  const tree = drawn({
    sources: of({
      ...line(3),
      repository: "https://github.com/acme/widget",
      ref: "refs/heads/main",
      commit: "ab",
    }),
    containment: of(
      { ...line(4, IMAGE), container: IMAGE, contained: 1 },
      { ...line(5), container: IMAGE, contained: 2 },
    ),
    quarantines: {
      count: 3,
      newest: [{ ...line(9), id: "q1", target: ARTIFACT, reason: "leaks", lifted: 10 }],
    },
  });
  assert.equal(
    tree,
    `|- source
|  \`- https://github.com/acme/widget (#3)
|     refs/heads/main
|     commit ab
|- containment
|  |- ${IMAGE} contains 1 artifact
|  |  by its manifest (#4 of ${IMAGE.slice(0, 19)}…)
|  \`- it lies in ${IMAGE}
|     by that one's manifest (#5)
\`- quarantines
   |- 2 earlier ones are not named here
   \`- lifted (#9)
      leaks
      2026-03-01 11:00:00Z, id q1
      lifted by #10
`,
  );
  assert.equal(drawn({}), "");
});

test("only what stands is good: a pass that ended, or whose policy was changed, is not", () => {
  const good = "\u001b[32mpassed\u001b[0m release";
  const tree = (more: Parameters<typeof verdict>[1]) => drawn({ verdicts: of(verdict(4, more)) }, UTF8, true);
  assert.ok(tree({}).includes(`   └─ ${good}`));
  assert.ok(tree({ validUntil: AFTER }).includes(good));
  for (const over of [{ validUntil: BEFORE }, { validUntil: AS_OF }, { policyInForce: false }])
    assert.ok(tree(over).includes("   └─ passed release"), JSON.stringify(over));
  const miss = { check: "builder", expected: "one", actual: "another" };
  const failed = tree({ outcome: "failed", miss });
  assert.ok(failed.includes("\u001b[31mfailed\u001b[0m release"));
  assert.ok(failed.includes("builder: expected one; found another"));
});

test("an identity tells how many live and whose they are, an exception whether it stands", () => {
  const identity = {
    ...line(12),
    kind: "jwt",
    spiffeId: "spiffe://vouchsafe.local/widget",
    requester: "issuer:broker",
    first: 7,
    granted: 1,
    renewed: 3,
    live: 1,
    expiresAt: AFTER,
    revoked: 0,
    revokedIndex: null as number | null,
    agentRevoked: null as number | null,
  };
  const tree = drawn({
    identities: of(
      identity,
      { ...identity, live: 0, expiresAt: BEFORE, agentRevoked: 20 },
      { ...identity, live: 0, revoked: 2, revokedIndex: 21 },
    ),
  });
  assert.match(
    tree,
    /1 live JWT-SVID; 1 grant, 3 renewals since #7 \(#12\)\n.*the last until 2026-03-01 13:00:00Z/,
  );
  assert.match(
    tree,
    /0 live JWT-SVIDs[\s\S]*ended 2026-03-01 11:00:00Z[\s\S]*the agent was revoked after that \(#20\)/,
  );
  assert.match(
    tree,
    /0 live JWT-SVIDs[^\n]*\n[^\n]*2 revoked before the end \(#21\)\n[^\n]*to issuer:broker/,
  );
  const exception = {
    ...line(5),
    id: "e",
    policy: "release",
    owner: "dana",
    reason: "outage",
    withdrawn: null,
  };
  assert.match(drawn({ exceptions: of({ ...exception, expiresAt: AFTER }) }), /stands to release/);
  assert.match(drawn({ exceptions: of({ ...exception, expiresAt: AS_OF }) }), /ended to release/);
});

test("names out of evidence can neither steer the terminal nor begin a line", () => {
  const evil = "x\u001b[2J\n└─ passed everything\u202e";
  const tree = drawn({ builders: of({ ...line(3), builder: evil }) }, UTF8, true);
  assert.equal(tree.split("\n").length, 3);
  assert.ok(!tree.includes("\u001b") && !tree.includes("\u202e"));
});

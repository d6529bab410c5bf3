import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ChainKey, EventType, LogEvent, ProjectId } from "../../../src/custody/events.ts";
import { MOST_LISTED } from "../../../src/custody/summary/listed.ts";
import { createCustodySummarizer } from "../../../src/custody/summary/summarize.ts";
import { type Digest, type JsonObject, sha256 } from "../../../src/in-toto-attestation/index.ts";

const digest = (text: string): Digest => sha256(Buffer.from(text));
const ARTIFACT = digest("artifact");
const IMAGE = digest("image");
const AGENT = "spiffe://vouchsafe.local/vouchsafe/agent/node-1";
const MINUTE = 60_000;
const at = (minute: number) => new Date(minute * MINUTE).toISOString();

type Said = readonly [type: EventType, body: JsonObject, about?: ChainKey];

/** Each event a minute after the one before, from index 0 on. */
function summarize(said: readonly Said[], now = said.length) {
  const summarizer = createCustodySummarizer(ARTIFACT, [IMAGE]);
  for (const [index, [type, body, key = ARTIFACT]] of said.entries()) {
    const event: LogEvent = {
      index,
      type,
      time: index * MINUTE,
      project: "p" as ProjectId,
      about: [key],
      previous: [null],
      salt: new Uint8Array(32),
      body,
      leaf: new Uint8Array(),
    };
    summarizer.add(event);
  }
  return summarizer.read(now * MINUTE);
}

const policies = (...named: readonly (readonly [string, string])[]): Said => [
  "policy.activated",
  { policies: named.map(([name, hash]) => ({ name, hash })) },
  "*",
];
const trust: Said = ["trust.activated", { trust: digest("trust") }, "*"];
const verdict = (
  policy: string,
  policyHash: string,
  outcome: "passed" | "failed",
  more: JsonObject = {},
): Said => [
  `verdict.${outcome}`,
  {
    policy,
    policyHash,
    slsaLevel: 3,
    validUntil: null,
    attestations: [],
    checks: [
      { check: "signer", passed: true, expected: "a", actual: "a" },
      { check: "builder", passed: outcome === "passed", expected: "b", actual: "c" },
    ],
    ...more,
  },
];
const key = { case: "key", name: "release", keyId: "ab" };
const evidence = (id: string, more: JsonObject = {}, about: ChainKey = ARTIFACT): Said => [
  "evidence.accepted",
  {
    attestation: digest(id),
    predicateType: "https://slsa.dev/provenance/v1",
    signer: key,
    subjects: [{ name: "widget", digests: [ARTIFACT] }],
    times: [at(10)],
    source: { repository: "https://github.com/acme/widget", commit: "abc" },
    builder: "https://builder.example",
    ...more,
  },
  about,
];
const identity = (
  type: "identity.issued" | "identity.renewed",
  until: number,
  more: JsonObject = {},
): Said => [
  type,
  {
    kind: "x509",
    serial: `40${until}`,
    spiffeId: "spiffe://vouchsafe.local/w",
    requester: AGENT,
    expiresAt: at(until),
    ...more,
  },
];

describe("a summary of custody", () => {
  test("says what stands, what ended, and by which events", () => {
    const summary = summarize([
      ["quarantine.opened", { id: "q1", artifact: ARTIFACT, reason: "found malware" }],
      ["quarantine.lifted", { id: "q1", artifact: ARTIFACT, reason: "none" }],
      ["quarantine.opened", { id: "q2", artifact: IMAGE, reason: "leaks" }, IMAGE],
      ["approval.granted", { id: "a1", policy: "p", approver: "alice", reason: null }],
      ["approval.withdrawn", { id: "a1", reason: "mistaken" }],
      ["exception.granted", { id: "e1", policy: "p", owner: "dana", reason: "outage", expiresAt: at(99) }],
      ["exception.withdrawn", { id: "unknown", reason: "-" }],
      ["hold.placed", { id: "h1", artifact: ARTIFACT, reason: "the case" }],
      ["retention.assigned", { artifact: ARTIFACT, class: "long", reason: "the law" }],
    ]);
    const brief = summary.quarantines.newest.map(({ index, id, lifted, chain }) => [
      index,
      id,
      lifted,
      chain,
    ]);
    assert.deepEqual(brief, [
      [0, "q1", 1, undefined],
      [2, "q2", null, IMAGE],
    ]);
    assert.equal(summary.approvals.newest[0]?.withdrawn, 4);
    assert.equal(summary.exceptions.newest[0]?.withdrawn, null);
    assert.deepEqual(summary.holds.newest[0]?.released, null);
    assert.deepEqual(summary.others, {
      count: 1,
      newest: [{ index: 8, time: at(8), type: "retention.assigned", detail: "long: the law" }],
    });
  });

  test("has the newest verdict under each policy, what had put it in force, and whether it still is", () => {
    const { verdicts } = summarize([
      policies(["release", "1"], ["scanned", "1"]),
      trust,
      verdict("release", "1", "failed"),
      verdict("scanned", "1", "passed"),
      policies(["release", "2"], ["scanned", "1"]),
      verdict("release", "2", "failed", { restsOn: [IMAGE] }),
      policies(["release", "3"], ["scanned", "1"]),
    ]);
    assert.deepEqual(
      verdicts.newest.map((line) => [line.index, line.policy, line.policiesActivated, line.trustActivated]),
      [
        [3, "scanned", 0, 1],
        [5, "release", 4, 1],
      ],
    );
    assert.deepEqual(
      verdicts.newest.map(({ policyInForce, miss, restsOn }) => [policyInForce, miss, restsOn]),
      [
        [true, null, []],
        [false, { check: "builder", expected: "b", actual: "c" }, [IMAGE]],
      ],
    );
  });

  test("has each source and builder once, the evidence of its own and of what its verdicts rest on", () => {
    const summary = summarize([
      evidence("1"),
      evidence("2", { subjects: [{ name: "widget", digests: [ARTIFACT, digest("alias")] }] }),
      evidence("3", { subjects: [{ name: "image", digests: [IMAGE] }] }, IMAGE),
      ["evidence.expired", { attestation: digest("2") }],
      verdict("release", "1", "passed"),
      ["verdict.passed", verdict("release", "1", "failed")[1], IMAGE],
      ["containment.recorded", { manifest: IMAGE, contained: [ARTIFACT] }],
    ]);
    assert.deepEqual(summary.names, ["widget"]);
    assert.deepEqual(summary.aliases.newest, [{ index: 1, time: at(1), digest: digest("alias") }]);
    assert.deepEqual(
      summary.sources.newest.map(({ index, chain, commit }) => [index, chain, commit]),
      [
        [0, undefined, "abc"],
        [2, IMAGE, "abc"],
      ],
    );
    assert.equal(summary.builders.count, 2);
    assert.deepEqual(
      summary.evidence.newest.map(({ expired }) => expired),
      [null, 3, null],
    );
    assert.equal(summary.verdicts.newest[0]?.index, 4, "another artifact's verdict is its own");
    assert.deepEqual(summary.containment.newest[0]?.contained, 1);
  });

  test("says what of the evidence is revoked, by those revocations that mean it", () => {
    const revoked = (id: string, target: JsonObject, about: ChainKey = "*"): Said => [
      "evidence.revoked",
      { id, target, reason: "key lost" },
      about,
    ];
    const { evidence: lines, revocations } = summarize([
      evidence("1"),
      evidence("2", { builder: null }, IMAGE),
      revoked("window", { builder: "https://builder.example", from: at(11) }),
      revoked("builder", { builder: "https://builder.example", from: at(10) }),
      revoked("taken back", { signer: { key: "release" } }),
      revoked("stranger", { signer: { key: "another" } }),
      revoked("named", { attestation: digest("not pushed yet") }, ARTIFACT),
      ["revocation.withdrawn", { id: "taken back" }, "*"],
    ]);
    assert.deepEqual(
      revocations.newest.map(({ id, withdrawn }) => [id, withdrawn]),
      [
        ["builder", null],
        ["taken back", 7],
        ["named", null],
      ],
    );
    assert.deepEqual(
      lines.newest.map((line) => line.revoked),
      [3, null],
    );
  });

  test("of those that were revoked before their end none lives, and no other one ends by it", () => {
    const named = (serial: string, requester = AGENT) => ({
      kind: "x509",
      serial,
      spiffeId: "spiffe://vouchsafe.local/w",
      requester,
    });
    const { identities } = summarize(
      [
        identity("identity.issued", 11),
        identity("identity.renewed", 12),
        identity("identity.renewed", 13),
        ["identity.revoked", { identities: [named("4012"), named("4099"), named("4013", "issuer:broker")] }],
      ],
      10,
    );
    assert.deepEqual(
      identities.newest.map(({ live, revoked, revokedIndex }) => [live, revoked, revokedIndex]),
      [[2, 1, 3]],
    );
  });

  test("counts what each requester was granted and refused, and what lives as of the end", () => {
    const denied = (codes: readonly string[], count: number): Said => [
      "identity.denied",
      { requester: AGENT, reasons: codes.map((code) => ({ code })), count },
    ];
    const decision = (more: JsonObject = {}): Said => [
      "decision.recorded",
      { issuer: "vault", grantedTo: "spiffe://x/y", decision: "allow", ...more },
    ];
    const said = [
      identity("identity.issued", 5),
      identity("identity.renewed", 11),
      identity("identity.renewed", 12),
      identity("identity.issued", 12, { requester: "issuer:broker" }),
      ["agent.revoked", { agent: AGENT }, "*"],
      denied(["quarantined", "no-verdict"], 1),
      denied(["no-verdict", "quarantined"], 4),
      denied(["no-verdict"], 1),
      decision(),
      decision(),
      decision({ summary: { statement: "s", keyId: "k" } }),
    ] satisfies Said[];
    const { identities, denials, decisions } = summarize(said, 11);
    const [first, second] = identities.newest;
    const { index: last, granted, renewed, live, expiresAt, agentRevoked } = first ?? {};
    assert.deepEqual(
      [first?.first, last, granted, renewed, live, expiresAt, agentRevoked],
      [0, 2, 1, 2, 1, at(12), 4],
    );
    assert.deepEqual([second?.requester, second?.live, second?.agentRevoked], ["issuer:broker", 1, null]);
    assert.deepEqual(
      denials.newest.map(({ codes, first, index, count }) => [codes, first, index, count]),
      [
        [["no-verdict", "quarantined"], 5, 6, 5],
        [["no-verdict"], 7, 7, 1],
      ],
    );
    assert.deepEqual(
      decisions.newest.map(({ count, isSummary }) => [count, isSummary]),
      [
        [2, false],
        [1, true],
      ],
    );
  });

  test("names the newest of a long list, and counts the rest", () => {
    const many = Array.from({ length: MOST_LISTED + 20 }, (_, i) => i);
    const { evidence: listed, others } = summarize([
      ...many.map((i) => evidence(String(i))),
      ...many.map((i): Said => ["retention.assigned", { artifact: ARTIFACT, class: `${i}` }]),
    ]);
    for (const { count, newest } of [listed, others]) {
      assert.deepEqual([count, newest.length], [MOST_LISTED + 20, MOST_LISTED]);
    }
    assert.equal(listed.newest[0]?.index, 20);
    assert.equal(others.newest.at(-1)?.index, 2 * (MOST_LISTED + 20) - 1);
  });

  test("a body without the members of its type is no event of a log", () => {
    assert.throws(() => summarize([["quarantine.opened", { id: "q" }]]), { code: "malformed-leaf" });
    assert.throws(() => summarize([evidence("1", { signer: { case: "key", name: 1 } })]), {
      code: "malformed-leaf",
    });
  });
});

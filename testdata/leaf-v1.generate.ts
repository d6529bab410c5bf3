import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";

/*
 * Makes leaf-v1.golden.json: `node testdata/leaf-v1.generate.ts`. It writes leaves field by field as
 * docs/log-format.md describes them and imports nothing from src/, so that the golden file is a second opinion.
 * Leaves of version 1 are for ever: a change to an entry of that file, other than a new one, is a mistake.
 */

interface GoldenEvent {
  readonly name: string;
  readonly type: string;
  readonly typeNumber: number;
  readonly time: number;
  readonly project: string;
  readonly salt: string;
  /** Canonical JSON. */
  readonly body: string;
  readonly previous: readonly (number | null)[];
}

const PROJECT = "0b51c2d4-7e6f-4a89-9c0d-1e2f3a4b5c6d";
const NIL = "00000000-0000-0000-0000-000000000000";
const A = `sha256:${"a1".repeat(32)}`;
const B = `sha512:${"b2".repeat(64)}`;
const salt = (byte: string) => byte.repeat(32);

const TYPES = {
  "log.created": 1,
  "policy.activated": 2,
  "trust.activated": 3,
  "evidence.accepted": 4,
  "evidence.rejected": 5,
  "verdict.passed": 6,
  "verdict.failed": 7,
  "quarantine.opened": 8,
  "quarantine.lifted": 9,
  "decision.recorded": 10,
  "identity.issued": 11,
  "identity.renewed": 12,
  "identity.denied": 13,
  "agent.joined": 14,
  "authority.activated": 15,
  "agent.revoked": 16,
  "approval.granted": 17,
  "approval.withdrawn": 18,
  "exception.granted": 19,
  "exception.withdrawn": 20,
  "containment.recorded": 21,
  "evidence.revoked": 24,
  "revocation.withdrawn": 25,
  "log-key.added": 22,
  "log-key.retired": 23,
  "hold.placed": 26,
  "hold.released": 27,
  "retention.assigned": 28,
  "evidence.expired": 29,
  "authority.prepared": 30,
  "authority.retired": 31,
  "identity.revoked": 32,
  "project.created": 33,
  "project.suspended": 34,
  "project.resumed": 35,
};

const EVENTS: readonly GoldenEvent[] = [
  {
    name: "the first event of a log: the installation's own chain",
    type: "log.created",
    typeNumber: 1,
    time: 1_700_000_000_000,
    project: NIL,
    salt: salt("00"),
    body: '{"about":["*"],"origin":"log.example/vouchsafe","verifierKey":"log.example/vouchsafe+00000000+AQ=="}',
    previous: [null],
  },
  {
    name: "the first wide event of a project",
    type: "policy.activated",
    typeNumber: 2,
    time: 1_700_000_000_001,
    project: PROJECT,
    salt: salt("01"),
    body: `{"about":["*"],"caller":"token-1","policySet":"sha256:${"c3".repeat(32)}","previous":null}`,
    previous: [null],
  },
  {
    name: "two chains, one begun and one continued; text beyond ASCII",
    type: "evidence.accepted",
    typeNumber: 4,
    time: 1_700_000_000_002,
    project: PROJECT,
    salt: salt("ff"),
    body: `{"about":["${A}","${B}"],"subjects":[{"name":"naïve — ☃.tgz"}]}`,
    previous: [1, null],
  },
  {
    name: "the largest numbers that a leaf can hold",
    type: "decision.recorded",
    typeNumber: 10,
    time: 8_640_000_000_000_000,
    project: "ffffffff-ffff-ffff-ffff-ffffffffffff",
    salt: salt("7e"),
    body: `{"about":["${A}"]}`,
    previous: [Number.MAX_SAFE_INTEGER],
  },
  ...Object.entries(TYPES).map(([type, typeNumber]) => ({
    name: `type ${type}`,
    type,
    typeNumber,
    time: typeNumber - 1,
    project: PROJECT,
    salt: salt("5a"),
    body: '{"about":[]}',
    previous: [],
  })),
];

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function bigEndian(value: number | bigint, bytes: number): string {
  return value.toString(16).padStart(bytes * 2, "0");
}

const golden = EVENTS.map(({ typeNumber, ...event }) => {
  const bodyHash = sha256(Buffer.concat([Buffer.from(event.salt, "hex"), Buffer.from(event.body)]));
  const leaf = [
    bigEndian(1, 1),
    bigEndian(typeNumber, 1),
    bigEndian(event.time, 8),
    event.project.replaceAll("-", ""),
    bodyHash,
    bigEndian(event.previous.length, 2),
    ...event.previous.map((index) => (index === null ? "f".repeat(16) : bigEndian(index, 8))),
  ].join("");
  const leafHash = sha256(Buffer.from(`00${leaf}`, "hex"));
  return { ...event, bodyHash, leaf, leafHash };
});

writeFileSync(new URL("leaf-v1.golden.json", import.meta.url), `${JSON.stringify(golden, null, 2)}\n`);

import { createHash, generateKeyPairSync } from "node:crypto";
import { approvalsBody } from "../../src/custody/approval-bodies.ts";
import { artifactsOf, summaryBody } from "../../src/custody/attestation-summary.ts";
import { bodyHash, encodeBody } from "../../src/custody/body.ts";
import {
  type ChainKey,
  type EventDraft,
  INSTALLATION,
  type LogEvent,
  PROJECT_CHAIN,
  type ProjectId,
} from "../../src/custody/events.ts";
import { evidenceSetHash } from "../../src/custody/evidence-set.ts";
import { encodeLeaf } from "../../src/custody/leaf.ts";
import type { Document } from "../../src/custody/log-store.ts";
import { canonicalJson, type Digest, type JsonObject } from "../../src/in-toto-attestation/index.ts";
import { evaluate } from "../../src/policy/evaluate.ts";
import type { PolicySet } from "../../src/policy/load.ts";
import { alone } from "../../src/policy/question.ts";
import { signCheckpoint } from "../../src/tlog/checkpoint.ts";
import { EMPTY_FRONTIER, grow } from "../../src/tlog/frontier.ts";
import { leafHash } from "../../src/tlog/hash.ts";
import { ed25519Signer } from "../../src/tlog/note.ts";
import type { TrustSnapshot } from "../../src/trust/snapshot.ts";
import type { VerifiedAttestation } from "../../src/verify/verified-attestation.ts";
import { verifyEvidence } from "../../src/verify/verify-evidence.ts";
import { buildPack, type PackInput } from "./build-pack.ts";
import {
  ARTIFACT,
  byBuilder,
  bySecond,
  firstPolicies,
  firstTrust,
  OTHER,
  secondPolicies,
  widerTrust,
} from "./evidence.ts";

/*
 * A log in memory with a story in it, made of the real parts and of no database, so that tests can tell it
 * otherwise in one place and see what a custody file of it is worth.
 */

export const PROJECT = "0b51c2d4-7e6f-4a89-9c0d-1e2f3a4b5c6d" as ProjectId;
const START = Date.UTC(2024, 0, 1);
export const DAY = 86_400_000;

export const logSigner = ed25519Signer("log.example/vouchsafe", generateKeyPairSync("ed25519").privateKey);

/** What the trust snapshot no longer believes does not count. */
function verifiedIfBelieved(bytes: Uint8Array, trust: TrustSnapshot, at: number): VerifiedAttestation[] {
  try {
    return [verifyEvidence(bytes, trust, at)];
  } catch {
    return [];
  }
}

export interface SmallLog {
  append(draft: EventDraft, project?: ProjectId): LogEvent;
  activateTrust(trust: TrustSnapshot): void;
  activatePolicies(set: PolicySet): void;
  /** Accepts evidence and records the verdicts that it leads to. Gives back the last of them. */
  push(bytes: Uint8Array): LogEvent;
  /** A day passes, and retention deletes the evidence's bytes, so that it counts no longer; its event may say something else. */
  expire(id: Digest, said?: JsonObject): LogEvent;
  /** The custody file's content, to be built or altered. */
  packInput(artifact?: Digest): PackInput;
  readonly events: LogEvent[];
}

export function smallLog(): SmallLog {
  const events: LogEvent[] = [];
  const last = new Map<ChainKey, number>();
  const evidence: PackInput["evidence"][number][] = [];
  const documents: Document[] = [];
  let accepted: { id: Digest; bytes: Uint8Array; at: number; about: readonly Digest[] }[] = [];
  let trust: TrustSnapshot | undefined;
  let policySet: PolicySet | undefined;
  let waited = 0;

  function now(): number {
    return START + waited + events.length * 1000;
  }

  function append({ type, about, body }: EventDraft, project = PROJECT): LogEvent {
    const salt = createHash("sha256").update(`salt ${events.length}`).digest();
    const index = events.length;
    const previous = about.map((key) => last.get(key) ?? null);
    for (const key of about) last.set(key, index);
    const fields = { type, time: now(), project, previous };
    const leaf = encodeLeaf({ ...fields, bodyHash: bodyHash(salt, encodeBody({ about, body })) });
    const event = { index, ...fields, about, body, salt, leaf };
    events.push(event);
    return event;
  }

  function verdict(artifact: Digest): LogEvent {
    if (policySet === undefined || trust === undefined) throw new TypeError("nothing is in force");
    const policy = policySet.policies.get("release");
    if (policy === undefined) throw new TypeError("no policy");
    const believed = trust;
    const mine = accepted.filter(({ about }) => about.includes(artifact));
    const verified = mine.flatMap(({ bytes, at }) => verifiedIfBelieved(bytes, believed, at));
    const evaluation = evaluate(policy, alone(artifact, verified), now());
    const { outcome, checks, attestations, slsaLevel, approvals } = evaluation;
    return append({
      type: `verdict.${outcome}`,
      about: [artifact],
      body: {
        policy: policy.name,
        policyHash: policy.hash,
        policySet: policySet.hash,
        trust: trust.hash,
        artifacts: [{ digest: artifact, evidenceSet: evidenceSetHash(mine.map(({ id }) => id)) }],
        attestations,
        slsaLevel,
        validUntil: null,
        checks: checks.map((check) => ({ ...check })),
        ...(approvals && { approvals: approvalsBody(approvals) }),
      },
    });
  }

  append(
    { type: "log.created", about: [], body: { origin: logSigner.name, verifierKey: logSigner.verifierKey } },
    INSTALLATION,
  );

  return {
    events,
    append,
    activateTrust(next) {
      const body: JsonObject = {
        previous: trust?.hash ?? null,
        trust: next.hash,
        extendsPrevious: false,
        caller: "token",
      };
      documents.push({ hash: next.hash, kind: "trust", bytes: next.bytes });
      trust = next;
      append({ type: "trust.activated", about: [PROJECT_CHAIN], body });
    },
    activatePolicies(next) {
      const body: JsonObject = {
        previous: policySet?.hash ?? null,
        policySet: next.hash,
        document: next.documentHash,
      };
      documents.push({ hash: next.documentHash, kind: "policy", bytes: next.document });
      policySet = next;
      append({ type: "policy.activated", about: [PROJECT_CHAIN], body });
    },
    push(bytes) {
      if (trust === undefined) throw new TypeError("no trust");
      const at = now();
      const attestation = verifyEvidence(bytes, trust, at);
      const { id, mediaType } = attestation;
      const about = artifactsOf(attestation);
      evidence.push({ id, mediaType, bytes });
      accepted.push({ id, bytes, at, about });
      append({
        type: "evidence.accepted",
        about,
        body: {
          ...summaryBody(attestation),
          size: bytes.length,
          trust: trust.hash,
          verifiedAt: new Date(at).toISOString(),
          caller: "token",
        },
      });
      return about.map(verdict).at(-1) as LogEvent;
    },
    expire(id, said = {}) {
      const { about = [], at = 0 } = accepted.find((one) => one.id === id) ?? {};
      waited += DAY;
      const [acceptedAt, keptUntil] = [at, at + DAY].map((time) => new Date(time).toISOString());
      const body = {
        attestation: id,
        class: "day",
        acceptedAt,
        keptUntil,
        caller: "retention",
        ...said,
      } as JsonObject;
      const event = append({ type: "evidence.expired", about, body });
      const place = evidence.findIndex((one) => "id" in one && one.id === id);
      const mediaType = evidence[place]?.mediaType ?? "";
      evidence[place] = { case: "expired", hash: id, mediaType, expired: event.index };
      accepted = accepted.filter((one) => one.id !== id);
      return event;
    },
    packInput(artifact = ARTIFACT) {
      const growth = grow(
        EMPTY_FRONTIER,
        events.map(({ leaf }) => leafHash(leaf)),
      );
      const checkpoint = { origin: logSigner.name, size: events.length, root: growth.root };
      const chosen = events.filter(({ about }) => about.includes(artifact) || about.includes(PROJECT_CHAIN));
      return {
        artifact,
        checkpoint: signCheckpoint(checkpoint, [logSigner]),
        events: chosen.map((event) => ({ event, proof: growth.inclusionProof(event.index) })),
        evidence,
        documents,
      };
    },
  };
}

/** Failing, passing, policy and trust changes, another artifact's events in between, and a quarantine. */
export function tellStory(log: SmallLog): void {
  log.activateTrust(widerTrust);
  log.activatePolicies(firstPolicies);
  log.push(bySecond("run 1"));
  log.push(byBuilder("run 2", [OTHER]));
  log.push(byBuilder("run 3", [ARTIFACT, OTHER]));
  log.activatePolicies(secondPolicies);
  log.append({
    type: "quarantine.opened",
    about: [ARTIFACT],
    body: { id: "q", artifact: ARTIFACT, reason: "leak", caller: "token" },
  });
  log.activateTrust(firstTrust);
  log.push(byBuilder("run 4"));
}

export function storyPack(change: (input: PackInput) => PackInput = (input) => input): Uint8Array {
  const log = smallLog();
  tellStory(log);
  return buildPack(change(log.packInput()));
}

export function readLines(pack: Uint8Array): JsonObject[] {
  return Buffer.from(pack)
    .toString()
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as JsonObject);
}

/** The lines of a custody file, changed and written again in canonical form. */
export function editLines(pack: Uint8Array, edit: (lines: JsonObject[]) => JsonObject[]): Uint8Array {
  return Buffer.from(
    edit(readLines(pack))
      .map((line) => `${canonicalJson(line)}\n`)
      .join(""),
  );
}

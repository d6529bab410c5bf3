import {
  type Digest,
  isJsonObject,
  type JsonObject,
  type JsonValue,
} from "../../in-toto-attestation/index.ts";
import { digestIn, listIn, restsOnIn, textIn, textsIn } from "../body-fields.ts";
import { type EventType, type LogEvent, OF_OTHERS, PROJECT_CHAIN } from "../events.ts";
import { otherChain } from "../references.ts";
import type {
  ApprovalLine,
  ContainmentLine,
  CustodySummary,
  ExceptionLine,
  HoldLine,
  Line,
  OtherLine,
  VerdictLine,
} from "./custody-summary.ts";
import { createEvidenceLines } from "./evidence.ts";
import { createGrantLines } from "./grants.ts";
import { createNewest, listed } from "./listed.ts";
import { createQuarantineLines } from "./quarantines.ts";

/** What an artifact's custody comes to, found event by event. */
export interface CustodySummarizer {
  /**
   * An event of the artifact's chain, of one that its verdicts rest on, or a wide one; in the order of the log, or those
   * of RECORDS after all others. Throws `malformed-leaf`.
   */
  add(event: LogEvent): void;
  /**
   * @param now as of when, in milliseconds since the epoch: not before the last event
   * @param grantsSince of RECORDS, only events from this index on were added; null where all were
   */
  read(now: number, grantsSince?: number | null): CustodySummary;
}

/** @param related the other artifacts that its verdicts rest on */
export function createCustodySummarizer(artifact: Digest, related: readonly Digest[]): CustodySummarizer {
  const evidence = createEvidenceLines(artifact);
  const containment = new Map<string, ContainmentLine>();
  const verdicts = new Map<string, VerdictLine & { readonly policyHash: string }>();
  const approvals = new Map<string, ApprovalLine>();
  const exceptions = new Map<string, ExceptionLine>();
  const quarantines = createQuarantineLines();
  const holds = new Map<string, HoldLine>();
  const others = createNewest<OtherLine>();
  const grants = createGrantLines();
  let policies = { index: null as number | null, hashes: new Set<string>() };
  let trustActivated: number | null = null;

  const readers: Readonly<Partial<Record<EventType, (event: LogEvent, line: Line) => void>>> = {
    ...evidence.readers,
    ...grants.readers,
    ...quarantines.readers,
    "policy.activated": ({ index, body }) => {
      policies = { index, hashes: new Set(listIn(body, "policies").flatMap(policyKey)) };
    },
    "trust.activated": ({ index }) => {
      trustActivated = index;
    },
    "containment.recorded": ({ body }, line) => {
      const container = digestIn(body, "manifest");
      containment.set(container, { ...line, container, contained: listIn(body, "contained").length });
    },
    "verdict.passed": (event, line) => addVerdict(event, line, "passed"),
    "verdict.failed": (event, line) => addVerdict(event, line, "failed"),
    "approval.granted": ({ body }, line) => {
      const { id, policy, approver } = textsOf(body, "id", "policy", "approver");
      approvals.set(id, { ...line, id, policy, approver, reason: textOf(body.reason), withdrawn: null });
    },
    "approval.withdrawn": ({ index, body }) => change(approvals, textIn(body, "id"), { withdrawn: index }),
    "exception.granted": ({ body }, line) => {
      const said = textsOf(body, "id", "policy", "owner", "reason", "expiresAt");
      exceptions.set(said.id, { ...line, ...said, withdrawn: null });
    },
    "exception.withdrawn": ({ index, body }) => change(exceptions, textIn(body, "id"), { withdrawn: index }),
    "hold.placed": ({ body }, line) => {
      const said = textsOf(body, "id", "reason");
      holds.set(said.id, { ...line, ...said, released: null });
    },
    "hold.released": ({ index, body }) => change(holds, textIn(body, "id"), { released: index }),
  };

  function addVerdict({ body }: LogEvent, line: Line, outcome: VerdictLine["outcome"]): void {
    const { policy, policyHash } = textsOf(body, "policy", "policyHash");
    const { slsaLevel, validUntil } = body;
    verdicts.set(policy, {
      ...line,
      policy,
      policyHash,
      outcome,
      slsaLevel: typeof slsaLevel === "number" ? slsaLevel : 0,
      validUntil: textOf(validUntil),
      attestations: textsIn(body, "attestations"),
      restsOn: restsOnIn(body),
      miss: outcome === "failed" ? nearestMiss(body) : null,
      policiesActivated: policies.index,
      trustActivated,
      policyInForce: false,
    });
  }

  return {
    add(event) {
      const chain = otherChain(artifact, related, event.about);
      if (chain !== undefined && chain !== PROJECT_CHAIN && !OF_OTHERS.includes(event.type)) return;
      const time = new Date(event.time).toISOString();
      const line = { index: event.index, time, ...(chain !== undefined && { chain }) };
      const read = readers[event.type];
      if (read !== undefined) read(event, line);
      else if (chain !== PROJECT_CHAIN)
        others.add({ ...line, type: event.type, detail: detailOf(event.body) });
    },
    read: (now, grantsSince = null) => ({
      ...evidence.read(),
      containment: inOrder(containment),
      verdicts: inOrder(
        new Map(
          [...verdicts].map(([policy, { policyHash, ...verdict }]) => [
            policy,
            { ...verdict, policyInForce: policies.hashes.has(`${policy} ${policyHash}`) },
          ]),
        ),
      ),
      approvals: inOrder(approvals),
      exceptions: inOrder(exceptions),
      ...grants.read(now),
      grantsSince,
      quarantines: quarantines.read({
        comesFrom: evidence.comesFrom,
        isJudgedBy: (policy) => verdicts.has(policy),
        isGranted: grants.isGranted,
      }),
      holds: inOrder(holds),
      others: others.read(),
    }),
  };
}

function inOrder<T extends Line>(lines: ReadonlyMap<string, T>) {
  return listed(lines.values());
}

/** Of what a line is that is not here, nothing is known to end. */
function change<T>(lines: Map<string, T>, key: string, ending: Partial<T>): void {
  const line = lines.get(key);
  if (line !== undefined) lines.set(key, { ...line, ...ending });
}

function policyKey(policy: JsonValue): string[] {
  return isJsonObject(policy) ? [`${policy.name} ${policy.hash}`] : [];
}

function textsOf<K extends string>(body: JsonObject, ...names: readonly K[]): Readonly<Record<K, string>> {
  return Object.fromEntries(names.map((name) => [name, textIn(body, name)])) as Record<K, string>;
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function detailOf(body: JsonObject): string | null {
  const told = [body.class, body.reason].filter((one) => typeof one === "string");
  return told.length === 0 ? null : told.join(": ");
}

/** A verdict names its checks with the nearest miss first. */
function nearestMiss(body: JsonObject): VerdictLine["miss"] {
  const miss = listIn(body, "checks").find((check) => isJsonObject(check) && check.passed === false);
  return isJsonObject(miss) ? textsOf(miss, "check", "expected", "actual") : null;
}

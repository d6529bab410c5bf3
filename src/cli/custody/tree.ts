import type {
  CustodySummary,
  EvidenceLine,
  IdentityLine,
  Line,
  VerdictLine,
} from "../../custody/summary/custody-summary.ts";
import type { Listed } from "../../custody/summary/listed.ts";
import { short } from "../output/findings.ts";
import { time } from "../output/time.ts";
import type { Branch } from "../output/tree.ts";

/**
 * A summary of custody as a tree, from the source to what happened last. What there is nothing of has no branch.
 *
 * @param asOf RFC 3339
 */
export function custodyTree(summary: CustodySummary, artifact: string, asOf: string): Branch[] {
  return [
    section("other digests", summary.aliases, ({ digest, ...line }) => ({
      text: `${digest} ${eventOf(line)}`,
    })),
    section("source", summary.sources, ({ repository, ref, commit, ...line }) => ({
      text: `${repository} ${eventOf(line)}`,
      notes: [...some("", ref), ...some("commit ", commit)],
    })),
    section("build", summary.builders, ({ builder, ...line }) => ({ text: `${builder} ${eventOf(line)}` })),
    section("evidence", summary.evidence, evidenceBranch),
    section("revocations", summary.revocations, ({ target, reason, withdrawn, index, time: at, id }) => ({
      text: `${withdrawn === null ? "revoked" : "withdrawn"} ${target} (#${index})`,
      ...(withdrawn === null && { mark: "bad" }),
      notes: [reason, `${time(at)}, id ${id}`, ...ended("withdrawn", withdrawn)],
    })),
    section("containment", summary.containment, ({ container, contained, ...line }) =>
      container === artifact || line.chain !== undefined
        ? {
            text: `${container === artifact ? "it" : container} contains ${counted(contained, "artifact")}`,
            notes: [`by its manifest ${eventOf(line)}`],
          }
        : { text: `it lies in ${container}`, notes: [`by that one's manifest ${eventOf(line)}`] },
    ),
    section("verdicts", summary.verdicts, (line) => verdictBranch(line, asOf)),
    section("approvals", summary.approvals, ({ policy, approver, reason, withdrawn, ...line }) => ({
      text: `${withdrawn === null ? "stands" : "withdrawn"} for ${policy}, by ${approver} ${eventOf(line)}`,
      ...(withdrawn === null && { mark: "good" }),
      notes: [...some("", reason), time(line.time), ...ended("withdrawn", withdrawn)],
    })),
    section("exceptions", summary.exceptions, ({ policy, owner, reason, expiresAt, withdrawn, ...line }) => {
      const stands = withdrawn === null && expiresAt > asOf;
      return {
        text: `${stands ? "stands" : "ended"} to ${policy}, for which ${owner} answers ${eventOf(line)}`,
        ...(stands && { mark: "bad" }),
        notes: [reason, `${time(line.time)} until ${time(expiresAt)}`, ...ended("withdrawn", withdrawn)],
      };
    }),
    section("identities", summary.identities, identityBranch),
    section("refused identities", summary.denials, ({ requester, codes, count, first, ...line }) => ({
      text: `${codes.join(", ")} ${eventOf(line)}`,
      mark: "bad",
      notes: [
        `${counted(count, "time")}${since(first, line)}, last at ${time(line.time)}`,
        `to ${requester}`,
      ],
    })),
    section("decisions", summary.decisions, (line) => ({
      text: `${line.decision} ${line.isSummary ? "signed as a summary" : `recorded by ${line.issuer}`} ${eventOf(line)}`,
      notes: [
        `${counted(line.count, "time")}${since(line.first, line)}, last at ${time(line.time)}`,
        `for ${line.grantedTo}`,
      ],
    })),
    summary.grantsSince === null
      ? []
      : [{ text: `identities and decisions before #${summary.grantsSince} are not told here` }],
    section("quarantines", summary.quarantines, ({ id, target, reason, lifted, ...line }) => ({
      text: `${lifted === null ? "open" : "lifted"} ${eventOf(line)}`,
      ...(lifted === null && { mark: "bad" }),
      notes: [
        ...(target === artifact ? [] : [`of ${target}`]),
        reason,
        `${time(line.time)}, id ${id}`,
        ...ended("lifted", lifted),
      ],
    })),
    section("legal holds", summary.holds, ({ id, reason, released, ...line }) => ({
      text: `${released === null ? "held" : "released"} ${eventOf(line)}`,
      notes: [reason, `${time(line.time)}, id ${id}`, ...ended("released", released)],
    })),
    section("besides", summary.others, ({ type, detail, ...line }) => ({
      text: `${type} ${eventOf(line)}`,
      notes: [...some("", detail), time(line.time)],
    })),
  ].flat();
}

function section<T extends Line>(
  text: string,
  { count, newest }: Listed<T>,
  branch: (line: T) => Branch,
): Branch[] {
  if (count === 0) return [];
  const earlier = count - newest.length;
  const more = earlier > 0 ? [{ text: `${earlier} earlier ones are not named here` }] : [];
  return [{ text, branches: [...more, ...newest.map(branch)] }];
}

function evidenceBranch({
  predicateType,
  signer,
  expired,
  revoked,
  attestation,
  ...line
}: EvidenceLine): Branch {
  const by =
    signer.case === "key"
      ? [`signed by the key ${signer.name}`]
      : [`signed by ${signer.identity}`, `certified for ${signer.issuer}`];
  return {
    text: `${predicateType ?? "a signature of the artifact itself"} ${eventOf(line)}`,
    notes: [
      ...by,
      attestation,
      `pushed at ${time(line.time)}`,
      ...(revoked === null ? [] : [`revoked by #${revoked}: it does not count`]),
      ...(expired === null ? [] : [`its bytes were deleted by retention (#${expired})`]),
    ],
  };
}

function verdictBranch(verdict: VerdictLine, asOf: string): Branch {
  const { policy, outcome, slsaLevel, validUntil, miss, policyInForce, restsOn } = verdict;
  const isOver = validUntil !== null && validUntil <= asOf;
  const stands = outcome === "passed" && !isOver && policyInForce;
  return {
    text: `${outcome} ${policy}, SLSA build level ${slsaLevel} ${eventOf(verdict)}`,
    ...((stands || outcome === "failed") && { mark: stands ? "good" : "bad" }),
    notes: [
      ...(miss === null ? [] : [`${miss.check}: expected ${miss.expected}; found ${miss.actual}`]),
      ...restsOn.map((digest) => `rests on ${digest}`),
      `${time(verdict.time)}${grounds(verdict)}`,
      ...(validUntil === null ? [] : [`${isOver ? "ended" : "valid until"} ${time(validUntil)}`]),
      ...(policyInForce ? [] : ["that policy is in force no more, or was changed"]),
    ],
  };
}

/** By which events its policy and its trust were in force. */
function grounds({ policiesActivated, trustActivated }: VerdictLine): string {
  const by = [
    ...(policiesActivated === null ? [] : [`policies of #${policiesActivated}`]),
    ...(trustActivated === null ? [] : [`trust of #${trustActivated}`]),
  ];
  return by.length === 0 ? "" : `, by ${by.join(" and ")}`;
}

function identityBranch(identity: IdentityLine): Branch {
  const { kind, spiffeId, requester, first, granted, renewed, live, expiresAt } = identity;
  const { revoked, revokedIndex, agentRevoked } = identity;
  const grants = [counted(granted, "grant"), ...(renewed > 0 ? [counted(renewed, "renewal")] : [])];
  return {
    text: spiffeId,
    notes: [
      `${counted(live, `live ${KINDS.get(kind) ?? kind}`)}; ${grants.join(", ")}${since(first, identity)} ${eventOf(identity)}`,
      ...(revokedIndex === null ? [] : [`${revoked} revoked before the end (#${revokedIndex})`]),
      ...(live === 0 && revokedIndex !== null
        ? []
        : [`${live > 0 ? "the last until" : "ended"} ${time(expiresAt)}`]),
      `to ${requester}`,
      ...(agentRevoked === null ? [] : [`the agent was revoked after that (#${agentRevoked})`]),
    ],
  };
}

const KINDS: ReadonlyMap<string, string> = new Map([
  ["x509", "X.509-SVID"],
  ["jwt", "JWT-SVID"],
]);

/** The event that says it, and whose it is where it is not of the artifact itself. */
function eventOf({ index, chain }: Line): string {
  return `(#${index}${chain === undefined ? "" : ` of ${short(chain)}`})`;
}

function since(first: number, { index }: Line): string {
  return first === index ? "" : ` since #${first}`;
}

function ended(how: string, index: number | null): string[] {
  return index === null ? [] : [`${how} by #${index}`];
}

function some(before: string, text: string | null | undefined): string[] {
  return text === null || text === undefined ? [] : [`${before}${text}`];
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

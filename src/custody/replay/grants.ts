import { parseSpiffeId, pathOf } from "../../identity/spiffe-id.ts";
import { isJsonObject, type JsonObject } from "../../in-toto-attestation/index.ts";
import { demandedOf, digestsOf, policiesFor, policiesOf } from "../../policy/components.ts";
import {
  matchWorkloads,
  parseRequester,
  pathFor,
  type WorkloadPolicy,
} from "../../policy/workload-policy.ts";
import { componentsIn, digestIn, listIn, textIn, textsIn, timeIn } from "../body-fields.ts";
import type { LogEvent } from "../events.ts";
import { refuseUnless } from "../pack/report.ts";
import { holdsIdentity } from "../quarantines.ts";
import { passAgain } from "./evaluate-again.ts";
import {
  type Allowance,
  approvedUntil,
  assertAllowed,
  byMode,
  policiesInForce,
  quarantinedAmong,
  sameJson,
} from "./replay.ts";
import type { Standing } from "./standing.ts";

/** The times of an SVID are whole seconds, and it is decided at most that much after its `issuedAt`. */
const SECOND = 1000;
/** A decision is recorded a moment after it is made; a pass may have run out in between. */
const RECORDED_WITHIN = 10_000;

/**
 * An SVID that was granted: it follows from a workload policy in force, and the artifact was allowed by all enforced
 * policies that this one names, at this place in the log. What those in audit mode would have denied is named.
 */
export function replayIdentity(event: LogEvent, standing: Standing): string {
  const { type, body, time } = event;
  const { artifact, inForce } = standing;
  refuseUnless(textIn(body, "policySet") === inForce.policySet, "its policy set was not in force");
  refuseUnless(digestIn(body, "trust") === inForce.trust, "its trust snapshot was not in force");
  const workload = assertRegistered(body, standing);

  refuseUnlessFree(body, standing);

  const kind = textIn(body, "kind");
  refuseUnless(kind === "x509" || kind === "jwt", "it is of a kind that is not known");
  const [issuedAt, expiresAt] = [timeIn(body, "issuedAt"), timeIn(body, "expiresAt")];
  refuseUnless(issuedAt <= time, "it was issued after it was recorded");
  refuseUnless(
    expiresAt > issuedAt && expiresAt - issuedAt <= workload.spec.ttl[kind] + SECOND,
    "it lives longer than its workload policy lets it",
  );

  const demanded = demandedOf(workload, componentsIn(body));
  refuseUnless(
    [...workload.spec.components.keys()].every((name) => demanded.has(name)),
    "not all that its workload policy asks for was attested",
  );
  const digests = textsIn(body, "digests");
  refuseUnless(sameJson([...digests], digestsOf(demanded)), "it names other digests than were attested");
  refuseUnless(digests.includes(artifact), "it was granted for other artifacts");
  const asked = policiesFor(workload.spec, demanded, artifact);
  const exceptions = exceptionsIn(body);
  // Those that this artifact does not have are another one's.
  const areAllOwn = exceptions.every((id) => standing.exceptions.has(id));
  refuseUnless(digests.length > 1 || areAllOwn, "it names an exception that did not stand");
  const { policies, passed, verdicts, validUntil } = assertAllowed(standing, asked, issuedAt, exceptions);
  refuseUnless(policies.length > 0, "no policy that is enforced vouched for it");
  const listed = textsIn(body, "policies");
  // An exception of another of its artifacts takes a policy out of the list too.
  const listedOfThis = listed.filter((name) => asked.includes(name));
  refuseUnless(
    listed.every((name) => policiesOf(workload.spec).includes(name)) &&
      (areAllOwn ? sameJson([...passed], listedOfThis) : listedOfThis.every((name) => passed.includes(name))),
    "it names other policies",
  );
  const wouldDeny = assertWouldDeny(body, standing, asked, issuedAt);
  const named = listIn(body, "verdicts");
  refuseUnless(
    verdicts.every((index) => named.includes(index)),
    "it does not name the verdicts that it rests on",
  );
  refuseUnless(expiresAt <= validUntil, "it lives longer than a verdict that it rests on");

  const was = type === "identity.renewed" ? `renewed (${textIn(body, "renews")} before)` : "granted";
  return (
    `the ${KINDS[kind]} ${textIn(body, "spiffeId")} (${textIn(body, "serial")}) was ${was} to ` +
    `${textIn(body, "requester")} until ${textIn(body, "expiresAt")}, when ${artifact} ` +
    `${groundsText(listedOfThis, exceptions)} and was not quarantined` +
    `${wouldDeny.length > 0 ? `; ${wouldDeny.join(", ")}, in audit mode, would have denied it` : ""}.`
  );
}

/** That neither its SPIFFE ID was quarantined nor the SVID that it took the place of. */
function refuseUnlessFree(body: JsonObject, { quarantines }: Standing): void {
  const spiffeId = parseSpiffeId(textIn(body, "spiffeId"));
  const renews = body.renews === null ? undefined : textIn(body, "renews");
  const stopped = [...quarantines.values()].find(({ target }) => holdsIdentity(target, spiffeId, renews));
  refuseUnless(stopped === undefined, `its identity was quarantined (${stopped?.id})`);
}

/** That the event names the policies in audit mode that the artifact did not pass, all of them and no others. */
function assertWouldDeny(
  body: JsonObject,
  standing: Standing,
  policies: readonly string[],
  issuedAt: number,
): string[] {
  const named = (body.wouldDeny === undefined ? [] : listIn(body, "wouldDeny")).flatMap((one) => {
    refuseUnless(isJsonObject(one), "it does not say what would have denied it");
    return digestIn(one, "digest") === standing.artifact ? [textIn(one, "policy")] : [];
  });
  const { audited } = byMode(standing, policies);
  const wouldDeny = audited.filter((policy) => {
    // It was decided within the second after `issuedAt`, in which a pass may have run out.
    const decidedAt = named.includes(policy.name) ? issuedAt + SECOND : issuedAt;
    const restsOn = standing.verdicts.get(policy.name)?.restsOn ?? [];
    const again = passAgain(standing, policy, decidedAt, restsOn);
    return (
      again.outcome === "failed" ||
      approvedUntil([...standing.approvals.values()], policy, again, decidedAt) === undefined ||
      quarantinedAmong(again.restsOn, standing) !== undefined
    );
  });
  const names = wouldDeny.map(({ name }) => name);
  refuseUnless(
    sameJson(names, named),
    "it does not name the policies in audit mode that would have denied it",
  );
  return names;
}

/** Ids of the exceptions that a grant rests on: it names them where there are any. */
function exceptionsIn(body: JsonObject): readonly string[] {
  return body.exceptions === undefined ? [] : textsIn(body, "exceptions");
}

function groundsText(policies: readonly string[], exceptions: readonly string[]): string {
  return [
    ...(policies.length > 0 ? [`had passed ${policies.join(", ")}`] : []),
    ...(exceptions.length > 0 ? [`was let through by the exception ${exceptions.join(", ")}`] : []),
  ].join(", ");
}

const KINDS = { x509: "X.509-SVID", jwt: "JWT-SVID" } as const;

/** The workload policy that gives this SPIFFE ID to this requester for these selectors. */
function assertRegistered(body: JsonObject, standing: Standing): WorkloadPolicy {
  const name = textIn(body, "workload");
  const workload = policiesInForce(standing).workloads.get(name);
  refuseUnless(
    workload !== undefined && workload.hash === textIn(body, "workloadHash"),
    `its workload policy ${name} was not in force`,
  );
  refuseUnless(workload.spec.mode === "enforce", `its workload policy ${name} was in audit mode`);
  const workloads = new Map([[name, workload]]);
  refuseUnless(
    matchWorkloads({ workloads }, parseRequester(textIn(body, "requester")), textsIn(body, "selectors"))
      .length === 1,
    `the workload policy ${name} does not give it to this requester for these selectors`,
  );
  refuseUnless(
    pathOf(parseSpiffeId(textIn(body, "spiffeId"))) === pathFor(workload, componentsIn(body)),
    `the workload policy ${name} gives another SPIFFE ID`,
  );
  return workload;
}

/** Identities that were denied: told, for what was denied is not shown again to have had to be. */
export function replayDenial({ body }: LogEvent): string {
  const codes = listIn(body, "reasons").map((reason) => (isJsonObject(reason) ? textIn(reason, "code") : ""));
  const count = body.count;
  refuseUnless(Number.isSafeInteger(count), "it does not say how many");
  return (
    `${textIn(body, "requester")} was denied an identity ${count} times since ` +
    `${textIn(body, "since")}: ${[...new Set(codes)].join(", ")}.`
  );
}

/**
 * Told: what was granted stands in the chain before, and that it would not be granted again is not shown once more. Who takes an
 * identity back can only take too many.
 */
export function replayIdentityRevocation({ index, body }: LogEvent, { artifact }: Standing): string {
  refuseUnless(textsIn(body, "digests").includes(artifact), "they were granted for other artifacts");
  refuseUnless(body.cause === null || Number(body.cause) < index, "its cause comes after it");
  const reasons = textsIn(body, "reasons");
  refuseUnless(reasons.length > 0, "it does not say why");
  const revoked = listIn(body, "identities").map((identity) => {
    refuseUnless(isJsonObject(identity), "it does not say which identities");
    return `${textIn(identity, "spiffeId")} (${textIn(identity, "serial")})`;
  });
  const others = revoked.length - 1;
  return `${revoked[0]}${others > 0 ? ` and ${others} more` : ""} revoked before the end: ${reasons.join(", ")}.`;
}

/** Told: what the agent was granted before that stands in the chains of what it was granted for. */
export function replayAgentRevocation({ body }: LogEvent): string {
  return `the agent ${textIn(body, "agent")} was revoked: ${textIn(body, "reason")}.`;
}

/** What an outside issuer did on our word. It happened whatever was current; what was current must be true. */
export function replayDecision({ body, time }: LogEvent, standing: Standing): string {
  refuseUnless(digestIn(body, "artifact") === standing.artifact, "it is about another artifact");
  const current = textIn(body, "current");
  const allowance =
    current === "allow"
      ? assertAllowed(standing, textsIn(body, "policies"), time - RECORDED_WITHIN, exceptionsIn(body))
      : undefined;
  const isEnforced = allowance?.policies.length !== 0;
  refuseUnless(body.enforced === (isEnforced ? undefined : false), "it does not say whether it was enforced");
  if (body.summary !== undefined) assertSummary(body, allowance);
  const until = body.expiresAt === null ? "" : ` until ${textIn(body, "expiresAt")}`;
  return (
    `${textIn(body, "issuer")} recorded ${textIn(body, "decision")} of ${standing.artifact} ` +
    `to ${textIn(body, "grantedTo")}${until}; the decision then was ${current}${isEnforced ? "" : ", which no policy enforced"}.`
  );
}

/** A summary of our own is signed for what is allowed alone, and for no longer. */
function assertSummary(body: JsonObject, allowance: Allowance | undefined): void {
  refuseUnless(
    textIn(body, "decision") === "allow" && allowance !== undefined && allowance.policies.length > 0,
    "a summary was signed of what was not allowed",
  );
  refuseUnless(exceptionsIn(body).length === 0, "a summary was signed on an exception");
  refuseUnless(
    timeIn(body, "expiresAt") <= allowance.validUntil,
    "its summary lives longer than a verdict that it rests on",
  );
}

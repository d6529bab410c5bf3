import { quarantineText } from "../../custody/quarantine-target.ts";
import { holdsIdentity, type Quarantine } from "../../custody/quarantines.ts";
import { type DecisionInput, decideGrant, wouldDenyOf } from "../../decisions/decide.ts";
import { type Grounds, MAX_GROUNDS } from "../../identity/grounds.ts";
import type { SpiffeId } from "../../identity/spiffe-id.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import {
  type Absence,
  attestedAs,
  type Components,
  demandedOf,
  digestsOf,
  policiesFor,
  policiesOf,
} from "../../policy/components.ts";
import { namesDigest, type WorkloadPolicy } from "../../policy/workload-policy.ts";

/** Why a workload is granted nothing. */
export interface DenialReason {
  readonly code: string;
  readonly message: string;
  readonly policy?: string;
  readonly digest?: Digest;
  /** What was not attested, as the workload policy names it. */
  readonly component?: string;
  /** The workload policy in audit mode that says so. */
  readonly workload?: string;
  /** The code that it would deny with. */
  readonly because?: string;
}

/** What was attested of what runs. */
export interface AttestedComponents {
  readonly components: Components;
  /** Why one that could be expected is not there; under the names of `components`. */
  readonly absent: ReadonlyMap<string, Absence>;
}

/** What an SVID may say. Times are whole seconds, in milliseconds since the epoch. */
export interface Entitlement {
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly grounds: Grounds;
  /** What policies in audit mode would have denied. */
  readonly wouldDeny: readonly { readonly digest: Digest; readonly policy: string }[];
  /** Ids of the exceptions that it rests on. */
  readonly exceptions: readonly string[];
}

const SECOND = 1000;

/**
 * Decides every digest of every component that the workload policy asks for, by the policies that it names for it. All
 * must be there and be allowed by those that are enforced: one denial is enough to grant nothing, and all of them are
 * told. What is granted ends no later than a verdict that it rests on. A workload policy in audit mode grants nothing: it
 * says what it would do.
 *
 * @param standings those of the digests that were attested, at least
 * @param until the latest end of anything granted: that of the authority's own certificate
 */
export function judgeWorkload(
  workload: WorkloadPolicy,
  attested: AttestedComponents,
  standings: readonly Standing[],
  terms: Terms,
): JudgedWorkload {
  const judged = judgeEnforced(workload, attested, standings, terms);
  return workload.spec.mode === "enforce" ? judged : { denials: inAuditMode(workload, judged) };
}

type Standing = Omit<DecisionInput, "policies">;

interface Terms {
  readonly kind: "x509" | "jwt";
  readonly now: number;
  readonly until: number;
}

interface JudgedWorkload {
  readonly entitlement?: Entitlement;
  readonly denials: readonly DenialReason[];
}

/** What it would do, were it enforced. */
function inAuditMode({ name }: WorkloadPolicy, { denials }: JudgedWorkload): DenialReason[] {
  if (denials.length > 0)
    return denials.map(({ code, message, ...rest }) => ({
      ...rest,
      code: "would-deny",
      message: `${message} (and the workload policy ${name} is in audit mode)`,
      workload: name,
      because: code,
    }));
  const message = `The workload policy ${name} is in audit mode: it would grant this, and grants nothing`;
  return [{ code: "would-grant", message, workload: name }];
}

function judgeEnforced(
  workload: WorkloadPolicy,
  attested: AttestedComponents,
  standings: readonly Standing[],
  { kind, now, until }: Terms,
): JudgedWorkload {
  const { spec } = workload;
  const demanded = demandedOf(workload, attested.components);
  const digests = digestsOf(demanded);
  const decisions = digests.map((digest) => {
    const standing = standings.find((one) => one.digest === digest);
    if (standing === undefined) throw new Error(`${digest} is to be judged without its standing`);
    return decideGrant({ ...standing, policies: policiesFor(spec, demanded, digest) }, now);
  });
  const denied = decisions.flatMap(({ digest, decision, reasons }) =>
    decision === "allow"
      ? []
      : reasons.map(({ code, message, policy }) => ({
          code,
          message: digests.length > 1 ? `${partOf(demanded, digest)}: ${message}` : message,
          digest,
          ...(policy && { policy }),
        })),
  );
  const denials = [...unfit(workload, attested, demanded), ...denied];
  if (denials.length > 0) return { denials };

  const ends = decisions.flatMap(({ validUntil }) => validUntil ?? []);
  const expiresAt = wholeSeconds(Math.min(now + spec.ttl[kind], until, ...ends));
  if (expiresAt <= now) {
    return {
      denials: [{ code: "verdict-expired", message: "What the SVID would rest on ends this second" }],
    };
  }
  const grounds = decisions.flatMap(({ grounds }) => grounds);
  const exceptions = decisions.flatMap(({ exceptions }) => exceptions);
  const excepted = new Set(exceptions.map(({ policy }) => policy));
  const verdicts = [...new Set(grounds.map(({ index }) => index))].sort((a, b) => a - b);
  if (verdicts.length > MAX_GROUNDS) {
    return {
      denials: [{ code: "too-many-verdicts", message: `An SVID says at most ${MAX_GROUNDS} verdicts` }],
    };
  }
  const vouching = new Set(grounds.flatMap(({ policy }) => (excepted.has(policy) ? [] : policy)));
  return {
    entitlement: {
      issuedAt: wholeSeconds(now),
      expiresAt,
      grounds: { digests, policies: policiesOf(spec).filter((policy) => vouching.has(policy)), verdicts },
      wouldDeny: decisions.flatMap((decision) =>
        wouldDenyOf(decision).map((policy) => ({ digest: decision.digest, policy })),
      ),
      exceptions: exceptions.map(({ id }) => id),
    },
    denials: [],
  };
}

/** Which of several digests it is that does not pass, and as what. */
function partOf(demanded: Components, digest: Digest): string {
  const names = [...demanded].flatMap(([name, digests]) => (digests.includes(digest) ? name : []));
  return `${names.join(", ")} ${digest}`;
}

/** What is wrong with the components themselves, whatever is thought of their digests. */
function unfit(
  { name, spec }: WorkloadPolicy,
  { absent }: AttestedComponents,
  demanded: Components,
): DenialReason[] {
  const missing = [...spec.components.keys()].filter((component) => !demanded.has(component));
  const denials: DenialReason[] = missing.map((component) => ({
    code: attestedAs(name, component, absent) ?? "component-missing",
    message: `No ${component} was attested, and the workload policy ${name} asks for it`,
    component,
  }));
  const [first = "", digests = []] = [...demanded][0] ?? [];
  if (namesDigest(spec) && digests.length > 1) {
    const message = `The SPIFFE ID names the digest of ${first}, of which there are ${digests.length}`;
    denials.push({ code: "component-ambiguous", message, component: first });
  }
  if (digestsOf(demanded).length > MAX_GROUNDS) {
    denials.push({ code: "too-many-digests", message: `An SVID says at most ${MAX_GROUNDS} digests` });
  }
  return denials;
}

/** Why this identity is not granted, whatever is attested: it, or the SVID that it would take the place of, is in quarantine. */
export function refuseQuarantined(
  quarantines: readonly Quarantine[],
  id: SpiffeId,
  renews?: string,
): DenialReason | undefined {
  const found = quarantines.find(({ target }) => holdsIdentity(target, id, renews));
  if (found === undefined) return undefined;
  const message = `Quarantine ${found.id} of ${quarantineText(found.target)}: ${found.reason}`;
  return { code: "quarantined", message };
}

/** Nothing lets the requester ask for this SPIFFE ID, or for any. */
export function notRegistered(id = "a workload with these selectors"): DenialReason {
  return { code: "no-workload-policy", message: `No workload policy lets this requester ask for ${id}` };
}

function wholeSeconds(time: number): number {
  return Math.floor(time / SECOND) * SECOND;
}

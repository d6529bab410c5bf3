import type { Digest } from "../../in-toto-attestation/index.ts";
import { containmentsOf } from "../../oci/manifest.ts";
import type { Approval } from "../../policy/approvals.ts";
import type { Exception } from "../../policy/exceptions.ts";
import type { Containment } from "../../policy/question.ts";
import { actorsIn, approvalIn, exceptionIn } from "../approval-bodies.ts";
import { digestIn, restsOnIn, textIn, textsIn, timeIn } from "../body-fields.ts";
import type { LogEvent } from "../events.ts";
import type { PackedMaterial } from "../pack/packed-material.ts";
import { type Quarantine, quarantinesAfter } from "../quarantines.ts";
import { type InForce, inForceAfter, NOTHING_IN_FORCE } from "../references.ts";
import { type Originated, type Revocation, revocationsAfter } from "../revocations.ts";
import { saidIn } from "../said-in.ts";
import type { KnownPass } from "./evaluate-again.ts";
import { type Keeping, keepingAfter, NOTHING_KEPT } from "./keeping.ts";

/** What stands when the replay of an artifact's events comes to one of them. */
export interface Standing {
  readonly artifact: Digest;
  readonly material: PackedMaterial;
  readonly inForce: InForce;
  /** The attestations so far: about the artifact, and about each other one that its verdicts rest on. */
  readonly accepted: ReadonlyMap<Digest, readonly Accepted[]>;
  readonly manifests: readonly Containment[];
  /** The artifact's newest verdict under each policy. */
  readonly verdicts: ReadonlyMap<string, ReplayedVerdict>;
  /** What evidence that was ever accepted about these artifacts says of where it comes from. */
  readonly origins: ReadonlyMap<Digest, readonly Originated[]>;
  /** Those that are open, by their ids: of these artifacts, and the project's by rule. */
  readonly quarantines: ReadonlyMap<string, Quarantine>;
  /** The artifact's that nobody withdrew, by their ids. */
  readonly approvals: ReadonlyMap<string, Approval>;
  readonly exceptions: ReadonlyMap<string, Exception>;
  /** The project's that nobody withdrew, by their ids. */
  readonly revocations: ReadonlyMap<string, Revocation>;
  readonly keeping: Keeping;
  /** No state, but what need not be evaluated twice: passes, by what was asked. */
  readonly passes: Map<string, KnownPass>;
}

export interface Accepted {
  readonly id: Digest;
  readonly verifiedAt: number;
}

interface ReplayedVerdict {
  readonly index: number;
  readonly passed: boolean;
  readonly restsOn: readonly Digest[];
  readonly attestations: readonly string[];
  /** Who built the artifact and who had it built; undefined where the policy asked for no approvals. */
  readonly actors: readonly string[] | undefined;
}

/** @param related the other artifacts that its verdicts rest on: `relatedBy` its events */
export function standingAtFirst(
  artifact: Digest,
  related: readonly Digest[],
  material: PackedMaterial,
): Standing {
  return {
    artifact,
    material,
    inForce: NOTHING_IN_FORCE,
    accepted: new Map([artifact, ...related].map((digest) => [digest, []])),
    origins: new Map(),
    manifests: [],
    verdicts: new Map(),
    quarantines: new Map(),
    approvals: new Map(),
    exceptions: new Map(),
    revocations: new Map(),
    keeping: NOTHING_KEPT,
    passes: new Map(),
  };
}

/** Throws `malformed-leaf` for an event without the members of its type. */
export function standingAfter(standing: Standing, event: LogEvent): Standing {
  const before = { ...standing, keeping: keepingAfter(standing.keeping, event, standing.artifact) };
  const { type, body, index, about } = event;
  switch (type) {
    case "evidence.accepted": {
      const attestation = { id: digestIn(body, "attestation"), verifiedAt: timeIn(body, "verifiedAt") };
      const accepted = [...before.accepted].map(
        ([digest, earlier]) =>
          [digest, about.includes(digest) ? [...earlier, attestation] : earlier] as const,
      );
      const said = saidIn(body);
      const concerned = [...before.accepted.keys()].filter((digest) => about.includes(digest));
      const origins = concerned.map(
        (digest) => [digest, [...(before.origins.get(digest) ?? []), said]] as const,
      );
      return { ...before, accepted: new Map(accepted), origins: new Map([...before.origins, ...origins]) };
    }
    case "evidence.expired": {
      // What was judged from here on was judged without it.
      const id = digestIn(body, "attestation");
      const accepted = [...before.accepted].map(
        ([digest, earlier]) => [digest, earlier.filter((one) => one.id !== id)] as const,
      );
      return { ...before, accepted: new Map(accepted) };
    }
    case "containment.recorded": {
      const container = digestIn(body, "manifest");
      if (!before.accepted.has(container)) return before;
      const held = [...before.accepted.keys()].filter((key) => key !== container && about.includes(key));
      const said = containmentsOf(container, before.material.manifest(container), held);
      return { ...before, manifests: [...before.manifests, ...said] };
    }
    case "verdict.passed":
    case "verdict.failed": {
      if (!about.includes(before.artifact)) return before;
      const verdict = {
        index,
        passed: type === "verdict.passed",
        restsOn: restsOnIn(body),
        attestations: textsIn(body, "attestations"),
        actors: actorsIn(event),
      };
      return { ...before, verdicts: new Map([...before.verdicts, [textIn(body, "policy"), verdict]]) };
    }
    case "quarantine.opened":
    case "quarantine.lifted":
      return { ...before, quarantines: quarantinesAfter(before.quarantines, event) };
    case "approval.granted": {
      const approval = approvalIn(event);
      return { ...before, approvals: new Map([...before.approvals, [approval.id, approval]]) };
    }
    case "approval.withdrawn":
      return { ...before, approvals: without(before.approvals, textIn(body, "id")) };
    case "exception.granted": {
      const exception = exceptionIn(event);
      return { ...before, exceptions: new Map([...before.exceptions, [exception.id, exception]]) };
    }
    case "exception.withdrawn":
      return { ...before, exceptions: without(before.exceptions, textIn(body, "id")) };
    default:
      return {
        ...before,
        inForce: inForceAfter(before.inForce, event),
        revocations: revocationsAfter(before.revocations, event),
      };
  }
}

function without<T>(some: ReadonlyMap<string, T>, id: string): ReadonlyMap<string, T> {
  return new Map([...some].filter(([key]) => key !== id));
}

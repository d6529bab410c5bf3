import type { EventType } from "../../custody/events.ts";
import type { LogEntry } from "../../custody/log-store.ts";
import { projectPolicies, projectTrust } from "./activations.ts";
import { projectContainment, projectEvidence, projectRejection } from "./evidence.ts";
import {
  projectAgent,
  projectAgentRevocation,
  projectIdentity,
  projectIdentityRevocation,
} from "./identities.ts";
import { holdDecision, holdIdentity } from "./inventory.ts";
import { projectCreation, resumeProject, suspendProject } from "./projects.ts";
import { projectExpiration, projectHold, projectHoldRelease, projectRetentionClass } from "./retention.ts";
import { noRows, type Projection, type Projector } from "./rows.ts";
import {
  beginApproval,
  beginException,
  beginQuarantine,
  beginRevocation,
  liftQuarantine,
  withdrawApproval,
  withdrawException,
  withdrawRevocation,
} from "./standing.ts";
import { projectVerdict } from "./verdicts.ts";
import { projectDecision, projectDenial, projectWouldDeny } from "./would-denials.ts";

const nothing: Projector = () => {};
const grantIdentity: Projector = (entry, rows) => {
  projectIdentity(entry, rows);
  holdIdentity(entry, rows);
  projectWouldDeny(entry, rows);
};
const recordDecision: Projector = (entry, rows) => {
  holdDecision(entry, rows);
  projectDecision(entry, rows);
};

const PROJECTORS: Readonly<Record<EventType, Projector>> = {
  "log.created": nothing,
  "authority.prepared": nothing,
  "authority.activated": nothing,
  "authority.retired": nothing,
  "log-key.added": nothing,
  "log-key.retired": nothing,
  "project.created": projectCreation,
  "project.suspended": suspendProject,
  "project.resumed": resumeProject,
  "policy.activated": projectPolicies,
  "trust.activated": projectTrust,
  "evidence.accepted": projectEvidence,
  "evidence.rejected": projectRejection,
  "containment.recorded": projectContainment,
  "verdict.passed": (entry, rows) => projectVerdict("passed", entry, rows),
  "verdict.failed": (entry, rows) => projectVerdict("failed", entry, rows),
  "quarantine.opened": beginQuarantine,
  "quarantine.lifted": liftQuarantine,
  "approval.granted": beginApproval,
  "approval.withdrawn": withdrawApproval,
  "exception.granted": beginException,
  "exception.withdrawn": withdrawException,
  "evidence.revoked": beginRevocation,
  "revocation.withdrawn": withdrawRevocation,
  "decision.recorded": recordDecision,
  "identity.issued": grantIdentity,
  "identity.renewed": grantIdentity,
  "identity.denied": projectDenial,
  "identity.revoked": projectIdentityRevocation,
  "agent.joined": projectAgent,
  "agent.revoked": projectAgentRevocation,
  "hold.placed": projectHold,
  "hold.released": projectHoldRelease,
  "retention.assigned": projectRetentionClass,
  "evidence.expired": projectExpiration,
};

/** Derives the state's rows from events, in the place of those that `rows` has: the one place where bodies become rows. */
export function projectEvents(entries: readonly LogEntry[], rows = noRows()): Projection {
  for (const entry of entries) PROJECTORS[entry.draft.type](entry, rows);
  return rows;
}

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Static, TSchema } from "typebox";
import type { Approval, Exception } from "../../src/client/approval-types.ts";
import type { ConsistencyProof, EventPage, InclusionProof } from "../../src/client/log-types.ts";
import type { Retention, Sweep } from "../../src/client/retention.ts";
import type { Falls, Revocation } from "../../src/client/revocation-types.ts";
import type { Simulation } from "../../src/client/simulation-types.ts";
import type {
  AttestationSummary,
  Check,
  Decision,
  DecisionReason,
  Problem,
  Receipt,
  VerdictSummary,
} from "../../src/client/types.ts";
import type * as decisions from "../../src/http/resources/decision-schemas.ts";
import type * as events from "../../src/http/resources/events.ts";
import type * as proofs from "../../src/http/resources/log-proofs.ts";
import type * as retention from "../../src/http/resources/retention.ts";
import type * as revocations from "../../src/http/resources/revocations.ts";
import type * as simulated from "../../src/http/resources/simulation-schemas.ts";
import type * as schemas from "../../src/http/schemas.ts";

/** True when what the server describes can be read as what the client expects, and has its members and no others. */
type Reads<Expected, Described extends TSchema> =
  Static<Described> extends Expected
    ? keyof Expected extends keyof Static<Described>
      ? keyof Static<Described> extends keyof Expected
        ? true
        : never
      : never
    : never;

/** The compiler does the work: a member that differs makes its line a type error. */
const agreements: {
  receipt: Reads<Receipt, typeof schemas.Receipt>;
  inclusion: Reads<InclusionProof, typeof proofs.InclusionProof>;
  consistency: Reads<ConsistencyProof, typeof proofs.ConsistencyProof>;
  attestation: Reads<AttestationSummary, typeof schemas.AttestationSummary>;
  check: Reads<Check, typeof schemas.Check>;
  verdict: Reads<VerdictSummary, typeof schemas.VerdictSummary>;
  reason: Reads<DecisionReason, typeof decisions.DecisionReason>;
  decision: Reads<Decision, typeof decisions.Decision>;
  approval: Reads<Approval, typeof schemas.Approval>;
  exception: Reads<Exception, typeof schemas.Exception>;
  falls: Reads<Falls, typeof revocations.Falls>;
  revocation: Reads<Revocation, typeof revocations.Revocation>;
  events: Reads<EventPage, typeof events.Events>;
  retention: Reads<Retention, typeof retention.Retention>;
  sweep: Reads<Sweep, typeof retention.Sweep>;
  simulation: Reads<Simulation, typeof simulated.Simulation>;
  problem: Static<typeof schemas.Problem> extends Problem ? true : never;
} = {
  receipt: true,
  inclusion: true,
  consistency: true,
  attestation: true,
  check: true,
  verdict: true,
  reason: true,
  decision: true,
  events: true,
  simulation: true,
  retention: true,
  sweep: true,
  approval: true,
  exception: true,
  falls: true,
  revocation: true,
  problem: true,
};

test("the client's types are the server's own description of its answers", () => {
  assert.equal(Object.values(agreements).every(Boolean), true);
});

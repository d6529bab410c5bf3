import { Type } from "typebox";
import { Check, closed, LogSize, named, nullable, Problem, Time } from "../schemas.ts";
import { AllowOrDeny } from "./decision-schemas.ts";

const Count = Type.Integer({ minimum: 0 });

const Flips = closed({
  count: Count,
  first: Type.Array(Type.String(), {
    description: "digests, in the order in which the log came to know them",
  }),
  checks: Type.Array(Check, { description: "that fail on the side that denies, of the very first" }),
});

export const SimulatedPolicy = named(
  "SimulatedPolicy",
  closed({
    name: Type.String(),
    change: Type.Enum(["added", "removed", "changed", "unchanged"]),
    passedBefore: Count,
    passedAfter: Count,
    denied: Flips,
    allowed: Flips,
  }),
);

export const DeniedWorkload = named(
  "DeniedWorkload",
  closed({
    spiffeId: Type.String(),
    workload: Type.String(),
    requester: Type.String(),
    digests: Type.Array(Type.String()),
    reasons: Type.Array(
      closed({
        code: Type.String(),
        message: Type.String(),
        policy: Type.Optional(Type.String()),
        digest: Type.Optional(Type.String()),
      }),
    ),
    active: AllowOrDeny,
  }),
);

export const Simulation = named(
  "Simulation",
  closed({
    asOf: closed({ size: LogSize, time: Time }),
    policySet: Type.String(),
    active: nullable(Type.String()),
    artifacts: Count,
    policies: Type.Array(SimulatedPolicy),
    workloads: closed({
      running: Count,
      denied: Count,
      deniedAlready: Count,
      workloads: Type.Array(DeniedWorkload),
    }),
  }),
);

/** A line of the answer: how far it is, until the last one. */
export const SimulationLine = named(
  "SimulationLine",
  Type.Union([
    closed({ case: Type.Literal("progress"), attestations: Count, of: Count }),
    closed({ case: Type.Literal("workloads"), judged: Count }),
    closed({ case: Type.Literal("result"), result: Simulation }),
    closed({ case: Type.Literal("problem"), problem: Problem }),
  ]),
);

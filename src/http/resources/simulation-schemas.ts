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

const RuleGives = nullable(
  closed({
    number: Type.Integer({ minimum: 1, description: "in its document" }),
    roles: Type.Array(Type.String()),
    policies: Type.Array(Type.String()),
    mayChoosePolicy: Type.Boolean(),
  }),
);

export const SimulatedAccess = named(
  "SimulatedAccess",
  closed(
    {
      name: Type.String(),
      change: Type.Enum(["added", "removed", "changed", "unchanged"]),
      callers: closed({ before: nullable(Type.String()), after: nullable(Type.String()) }),
      rules: Type.Array(
        closed({
          change: Type.Enum(["added", "removed", "changed", "moved"], {
            description: "moved: it gives the same, and others come before it, or it before others",
          }),
          who: Type.Array(closed({ of: Type.String(), patterns: Type.Array(Type.String()) })),
          gives: closed({ before: RuleGives, after: RuleGives }),
        }),
      ),
    },
    "An AccessPolicy, and its rules that differ. Which tokens there are is not known",
  ),
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
    access: Type.Array(SimulatedAccess),
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

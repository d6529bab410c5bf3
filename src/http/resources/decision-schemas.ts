import { Type } from "typebox";
import { MODES } from "../../policy/policy.ts";
import { Check, closed, Hash, LogSize, named, nullable, Outcome, SlsaLevel, Time } from "../schemas.ts";

// What is answered to a question about a digest.

export const AllowOrDeny = Type.Enum(["allow", "deny"]);

export const Enforced = Type.Boolean({
  description: "false for an allow that no policy vouches for: all that were named are in audit mode",
});
export const Mode = Type.Enum([...MODES]);

export const DecisionReason = named(
  "DecisionReason",
  closed({
    code: Type.String(),
    message: Type.String(),
    policy: Type.Optional(Type.String()),
    checks: Type.Optional(Type.Array(Check)),
    exception: Type.Optional(
      closed({ id: Type.String(), owner: Type.String(), reason: Type.String(), expiresAt: Time }),
    ),
  }),
);

export const Decision = named(
  "Decision",
  closed({
    digest: Type.String(),
    decision: AllowOrDeny,
    enforced: Enforced,
    reasons: Type.Array(DecisionReason),
    policies: Type.Array(
      closed({
        policy: Type.String(),
        policyHash: Hash,
        mode: Mode,
        outcome: Outcome,
        slsaLevel: SlsaLevel,
        attestations: Type.Array(Type.String()),
        validUntil: nullable(Time),
      }),
    ),
    slsaLevel: SlsaLevel,
    asOf: LogSize,
    validUntil: nullable(Time),
  }),
);

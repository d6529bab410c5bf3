import { type TSchema, Type } from "typebox";
import { EVENT_TYPES, type EventType } from "../../custody/events.ts";
import { closed, EVENT, LogSize, named, nullable, Signer, Time } from "../schemas.ts";

export const EVENT_TYPE_NAMES = Object.keys(EVENT_TYPES) as EventType[];
export const EventTypeName = Type.Enum(EVENT_TYPE_NAMES);
/** Of a query string. */
export const EventTypes = Type.Union(
  [EventTypeName, Type.Array(EventTypeName, { maxItems: EVENT_TYPE_NAMES.length })],
  { description: "only events of this type; may be given several times" },
);

const { salt, leaf, ...SAID } = EVENT;
const Text = Type.String();
const Count = Type.Integer({ minimum: 0 });
const Texts = Type.Array(Text);
const CHAIN = {
  chain: Type.Optional(
    Type.String({ description: "the chain that it is of where that is not the artifact's: another's, or *" }),
  ),
};

/** Lines that each name the event that says them, and its time. */
function listed(members: Record<string, TSchema>) {
  return closed({
    count: Count,
    newest: Type.Array(closed({ index: LogSize, time: Time, ...CHAIN, ...members }), { maxItems: 100 }),
  });
}

const Summary = named(
  "CustodySummary",
  closed(
    {
      names: Texts,
      aliases: listed({ digest: Text }),
      sources: listed({ repository: Text, ref: Type.Optional(Text), commit: Type.Optional(Text) }),
      builders: listed({ builder: Text }),
      evidence: listed({
        attestation: Text,
        predicateType: nullable(Text),
        signer: Signer,
        expired: nullable(LogSize),
        revoked: nullable(LogSize),
      }),
      revocations: listed({ id: Text, target: Text, reason: Text, withdrawn: nullable(LogSize) }),
      containment: listed({ container: Text, contained: Count }),
      verdicts: listed({
        policy: Text,
        outcome: Type.Enum(["passed", "failed"]),
        slsaLevel: Count,
        validUntil: nullable(Time),
        attestations: Texts,
        restsOn: Texts,
        miss: nullable(closed({ check: Text, expected: Text, actual: Text })),
        policiesActivated: nullable(LogSize),
        trustActivated: nullable(LogSize),
        policyInForce: Type.Boolean(),
      }),
      approvals: listed({
        id: Text,
        policy: Text,
        approver: Text,
        reason: nullable(Text),
        withdrawn: nullable(LogSize),
      }),
      exceptions: listed({
        id: Text,
        policy: Text,
        owner: Text,
        reason: Text,
        expiresAt: Time,
        withdrawn: nullable(LogSize),
      }),
      identities: listed({
        kind: Text,
        spiffeId: Text,
        requester: Text,
        first: LogSize,
        granted: Count,
        renewed: Count,
        live: Count,
        expiresAt: Time,
        revoked: Type.Integer(),
        revokedIndex: nullable(LogSize),
        agentRevoked: nullable(LogSize),
      }),
      denials: listed({ requester: Text, codes: Texts, first: LogSize, count: Count }),
      decisions: listed({
        issuer: Text,
        grantedTo: Text,
        decision: Text,
        first: LogSize,
        count: Count,
        isSummary: Type.Boolean(),
      }),
      grantsSince: nullable(LogSize),
      quarantines: listed({ id: Text, target: Text, reason: Text, lifted: nullable(LogSize) }),
      holds: listed({ id: Text, reason: Text, released: nullable(LogSize) }),
      others: listed({ type: Text, detail: nullable(Text) }),
    },
    "What all of it comes to: the newest 100 of each kind, and how many there are",
  ),
);

export const CustodyPage = named(
  "CustodyPage",
  closed({
    artifact: Text,
    origin: Text,
    treeSize: LogSize,
    time: Time,
    checkpoint: Text,
    summary: nullable(Summary),
    events: Type.Array(
      closed({
        ...SAID,
        ...CHAIN,
        salt: Type.Optional(salt),
        leaf: Type.Optional(leaf),
        inclusionProof: Type.Optional(Texts),
      }),
    ),
    next: nullable(Text),
  }),
);

import { type TSchema, Type } from "typebox";
import { ERRORS } from "../errors.ts";

/**
 * The shapes that requests and answers share. Request objects are closed (an unknown member is refused);
 * answers are described for readers and generators, and tests hold every answer to its description.
 */

/** An object that takes no member beyond those listed. */
export function closed<T extends Record<string, TSchema>>(members: T, description?: string) {
  return Type.Object(members, { additionalProperties: false, ...(description && { description }) });
}

/** Gives a schema the name under which the API's description holds it once. It is unique, and what generators call the type. */
export function named<T extends TSchema>(title: string, schema: T): T {
  return Object.assign(schema, { title });
}

export function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()]);
}

/** A digest as written by a caller; its algorithm and length are judged by `parseDigest`. */
export const Digest = Type.String({
  minLength: 1,
  maxLength: 200,
  description: "algorithm:hex in lower case",
  examples: ["sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
});

/**
 * Words of a caller's own, in one line. No control characters: Postgres takes no NUL in a text, and who reads it
 * later, in a terminal or a log file, must not be steered by it.
 */
export function line(maxLength: number) {
  return Type.String({ minLength: 1, maxLength, pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]*$" });
}

export const Selectors = Type.Array(line(4096), {
  maxItems: 128,
  description: "what was attested of the workload",
  examples: [["unix:uid:1000"]],
});
export const Reason = Object.assign(line(1000), { examples: ["found in a review, ticket 4711"] });
export const PolicyName = Object.assign(line(200), { examples: ["release"] });
export const Time = Type.String({
  description: "RFC 3339, UTC, with milliseconds",
  examples: ["2026-03-01T12:00:00.000Z"],
});
export const LogSize = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  examples: [1024],
});
/** A whole number in a query string, where everything is text. */
export const LogSizeText = Type.String({
  pattern: "^(0|[1-9][0-9]{0,14})$",
  description: "a log size, e.g. that of a receipt",
  examples: ["1024"],
});
/** The header with which a reader of server-sent events goes on (WHATWG HTML §9.2.4); empty: from the start. */
export const LastEventId = Type.String({
  pattern: "^(0|[1-9][0-9]{0,14})?$",
  description: "the log index of the last event that was read",
  examples: ["1024"],
});
/** Of a query string: which page of a list. */
export const PAGE = {
  limit: Type.Optional(
    Type.String({ pattern: "^([1-9][0-9]?|1[0-9][0-9]|200)$", description: "1 to 200, 50 if absent" }),
  ),
  after: Type.Optional(Type.String({ minLength: 1, maxLength: 512, description: "next of the page before" })),
};
/** Of a query string: as of when. */
export const AsOfText = Type.String({
  minLength: 1,
  maxLength: 40,
  description: "a log size, or a time such as 2026-03-01T12:00:00Z; now if absent",
});
/** Of a query string, for what is done unless it is said not to be. */
export const Flag = Type.Enum(["true", "false"], { description: "true if absent" });
export const Hash = Type.String({ description: "sha256:hex of the document's canonical bytes" });
/** The hash that an activation replaces (compare-and-swap), or null when nothing is active yet. */
export const PreviousHash = nullable(Type.String({ minLength: 1, maxLength: 200 }));

export const Receipt = named(
  "Receipt",
  closed(
    {
      index: LogSize,
      treeSize: LogSize,
      inclusionProof: Type.Array(Type.String(), { description: "RFC 6962 audit path, base64, leaf to root" }),
      checkpoint: Type.String({ description: "C2SP tlog-checkpoint of treeSize, a signed note" }),
      durable: Type.Boolean({ description: "false in evaluation mode, where nothing is fsynced" }),
      witnessed: Type.Boolean({ description: "whether the quorum of the log's witnesses has cosigned it" }),
    },
    "Proof that the event is in the custody log",
  ),
);

export const Signer = named(
  "Signer",
  Type.Union([
    closed({
      case: Type.Literal("certificate"),
      issuer: Type.String(),
      identity: Type.String(),
      instance: Type.String(),
    }),
    closed({ case: Type.Literal("key"), name: Type.String(), keyId: Type.String() }),
  ]),
);

export const AttestationSummary = named(
  "AttestationSummary",
  closed({
    id: Type.String({ description: "sha256 of the evidence bytes" }),
    mediaType: Type.String(),
    predicateType: nullable(Type.String()),
    signer: Signer,
    subjects: Type.Array(closed({ name: Type.Optional(Type.String()), digests: Type.Array(Type.String()) })),
    times: Type.Array(Time),
    source: closed({
      repository: Type.Optional(Type.String()),
      ref: Type.Optional(Type.String()),
      commit: Type.Optional(Type.String()),
    }),
    builder: nullable(Type.String()),
    index: LogSize,
  }),
);

export const Check = named(
  "Check",
  closed({
    check: Type.String(),
    passed: Type.Boolean(),
    expected: Type.String(),
    actual: Type.String(),
    attestation: Type.Optional(Type.String()),
  }),
);

export const Outcome = Type.Enum(["passed", "failed"]);
export const SlsaLevel = Type.Integer({ minimum: 0, maximum: 4 });

export const VerdictSummary = named(
  "VerdictSummary",
  closed({
    policy: Type.String(),
    policyHash: Hash,
    artifacts: Type.Array(Type.String()),
    outcome: Outcome,
    slsaLevel: SlsaLevel,
    checks: Type.Array(Check, { description: "nearest miss first when it failed" }),
  }),
);

export const ArtifactVerdict = named(
  "ArtifactVerdict",
  closed({
    policy: Type.String(),
    policyHash: Hash,
    outcome: Outcome,
    slsaLevel: SlsaLevel,
    validUntil: nullable(Time),
    current: Type.Boolean({ description: "false when the policy or the trust roots have changed since" }),
    checks: Type.Array(Check),
  }),
);

/** Of what events name by an id of its own. */
export const EventId = Type.String({ minLength: 1, maxLength: 64 });

export const Approval = named(
  "Approval",
  closed({
    id: Type.String(),
    artifact: Type.String(),
    policy: Type.String(),
    policyHash: Hash,
    attestations: Type.Array(Type.String()),
    approver: Type.String({ description: "the name of the token that gave it" }),
    reason: nullable(Type.String()),
    index: LogSize,
  }),
);

export const Exception = named(
  "Exception",
  closed({
    id: Type.String(),
    artifact: Type.String(),
    policy: Type.String(),
    reason: Type.String(),
    owner: Type.String(),
    expiresAt: Time,
    index: LogSize,
  }),
);

/** The members of an event of the custody log. */
export const EVENT = {
  index: LogSize,
  type: Type.String(),
  time: Time,
  about: Type.Array(Type.String(), {
    description: "the chains that it joins: digests, or * for the project's",
  }),
  previous: Type.Array(nullable(LogSize), {
    description: "of each of these chains the event before, or null",
  }),
  salt: Type.String({ description: "32 bytes, base64" }),
  leaf: Type.String({ description: "the entry of the log, base64" }),
  body: Type.Record(Type.String(), Type.Unknown()),
};

/** RFC 9457. Some codes carry more members (`errors`, `diagnostics`, `active` …). */
export const Problem = named(
  "Problem",
  Type.Object(
    {
      type: Type.String(),
      title: Type.String(),
      status: Type.Integer(),
      detail: Type.String(),
      code: Type.Enum(Object.keys(ERRORS)),
      instance: Type.String({ description: "the request's id, which the server's log names" }),
    },
    { description: "What could not be done and why (RFC 9457)" },
  ),
);

export const Csr = Type.String({
  minLength: 1,
  maxLength: 8192,
  description: "PKCS#10, base64 DER: only its key is taken",
});
export const SpiffeId = Object.assign(line(2048), { examples: ["spiffe://example.org/widget"] });
export const CertificateChain = Type.Array(Type.String(), {
  description: "base64 DER, the SVID first, without the root",
});
export const X509Bundle = named(
  "X509Bundle",
  closed({
    x509Authorities: Type.Array(Type.String(), { description: "the trust domain's roots, base64 DER" }),
  }),
);

/** What stands in an artifact's chain until it is taken back. */
export const Standing = named(
  "Standing",
  closed({
    id: Type.String(),
    artifact: Type.String(),
    reason: Type.String(),
    index: LogSize,
  }),
);
export const Placing = named("Placing", closed({ artifact: Digest, reason: Reason }));
export const Placed = named(
  "Placed",
  closed({
    id: Type.String(),
    artifact: Type.String(),
    reason: Type.String(),
    receipt: Receipt,
  }),
);
export const TakenBack = named("TakenBack", closed({ id: Type.String(), receipt: Receipt }));

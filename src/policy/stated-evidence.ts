import {
  AttestationFormatError,
  algorithmOf,
  canonicalJson,
  type Digest,
  hexOf,
  isJsonObject,
  isKnownPredicateType,
  type JsonObject,
  type JsonValue,
  parseStatement,
  sha256,
  subjectsOf,
} from "../in-toto-attestation/index.ts";
import { parseUtcTime, UTC_TIME } from "../utc-time.ts";
import type { CertificateClaims, Signer } from "../verify/verified-attestation.ts";
import { plainJson } from "../yaml/source.ts";
import { ATTESTATION } from "./cel/variables.ts";
import {
  digest,
  integer,
  optional,
  type Reader,
  record,
  refuse,
  text,
  textLike,
} from "./documents/readers.ts";
import type { Sayings, Witness } from "./facts.ts";

/** What a test says that evidence would say, or what it changes of that: a member that is null is taken out. */
export interface Stated {
  readonly signer?: {
    readonly issuer?: string | null;
    readonly identity?: string | null;
    readonly instance?: string | null;
    readonly key?: string | null;
    readonly claims?: JsonObject | null;
  } | null;
  readonly subject?: {
    readonly name?: string | null;
    readonly digest?: Digest | null;
    /** As a source control system says in them which references pointed to a commit. */
    readonly annotations?: JsonObject | null;
  } | null;
  readonly predicateType?: string | null;
  readonly predicate?: JsonObject | null;
  /** A time, or `none`; absent: the time that the case is about. */
  readonly signedAt?: string | null;
  /** Of how many operators there is evidence of each kind; absent: of none. */
  readonly witnesses?: { readonly [kind in Witness]?: number | null } | null;
}

const MAX_WITNESSES = 8;

const NO_TRUSTED_TIME = "none";

function orNull<T>(read: Reader<T>): Reader<T | null> {
  return (source, node, parent) =>
    node === null || plainJson(source, node, 0) === null ? null : read(source, node, parent);
}

/** In milliseconds since the epoch. */
export const time: Reader<number> = (source, node, parent) => {
  const written = textLike(UTC_TIME, "a time such as 2026-03-01T12:00:00Z")(source, node, parent);
  if (written === undefined) return undefined;
  return parseUtcTime(written) ?? refuse(source, node, parent, `${written} is not a time that there is`);
};

const timeOrNone: Reader<string> = (source, node, parent) => {
  const written = text(source, node, parent);
  if (written === undefined || written === NO_TRUSTED_TIME) return written;
  return time(source, node, parent) === undefined ? undefined : written;
};

const object: Reader<JsonObject> = (source, node, parent) => {
  const json = plainJson(source, node, 0);
  if (json === undefined) return undefined;
  return isJsonObject(json) ? json : refuse(source, node, parent, "a map is expected");
};

const count = optional(orNull(integer(0, MAX_WITNESSES)));
const optionalText = optional(orNull(text));

const claims = record(
  Object.fromEntries(Object.keys(ATTESTATION.signer.claims).map((name) => [name, optionalText])),
) as unknown as Reader<JsonObject>;

export const stated: Reader<Stated> = record({
  signer: optional(
    orNull(
      record({
        issuer: optionalText,
        identity: optionalText,
        instance: optionalText,
        key: optionalText,
        claims: optional(orNull(claims)),
      }),
    ),
  ),
  subject: optional(
    orNull(
      record({
        name: optionalText,
        digest: optional(orNull(digest)),
        annotations: optional(orNull(object)),
      }),
    ),
  ),
  predicateType: optionalText,
  predicate: optional(orNull(object)),
  signedAt: optional(orNull(timeOrNone)),
  witnesses: optional(orNull(record({ logEntries: count, timestamps: count, scts: count }))),
});

/** `base`, changed by `patch` as RFC 7396 (JSON Merge Patch) has it. */
export function changed(base: Stated, patch: Stated): Stated {
  return mergePatch(base as JsonObject, patch as JsonObject) as Stated;
}

function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch;
  const merged: Record<string, JsonValue> = Object.create(null);
  if (isJsonObject(target)) Object.assign(merged, target);
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete merged[name];
    else merged[name] = mergePatch(merged[name], value);
  }
  return merged;
}

/** Why nobody could sign such evidence; undefined where somebody could. */
export function problemOf(one: Stated): string | undefined {
  const said = sayingsOf(one, { artifact: sha256(""), time: 0 });
  return typeof said === "string" ? said : undefined;
}

/** As verification would hand it on, by way of the Statement that would have been signed; or why it cannot be. */
export function sayingsOf(
  { signer, subject, predicateType, predicate, signedAt, witnesses }: Stated,
  asked: { readonly artifact: Digest; readonly time: number },
): Sayings | string {
  const signedBy = signerOf(signer ?? {});
  if (signedBy === undefined) return "a signer is either `issuer` with `identity`, or `key`";
  if (!predicateType) return "`predicateType` is missing";
  if (!isKnownPredicateType(predicateType)) return `evidence of the type ${predicateType} is not taken`;
  const artifact = subject?.digest ?? asked.artifact;
  const payload = new TextEncoder().encode(
    canonicalJson({
      _type: "https://in-toto.io/Statement/v1",
      subject: [
        {
          ...(subject?.name && { name: subject.name }),
          digest: { [algorithmOf(artifact)]: hexOf(artifact) },
          ...(subject?.annotations && { annotations: subject.annotations }),
        },
      ],
      predicateType,
      predicate: predicate ?? {},
    }),
  );
  const times = signedAt === NO_TRUSTED_TIME ? [] : [signedAt ? Date.parse(signedAt) : asked.time];
  try {
    const statement = parseStatement(payload);
    return {
      id: sha256(
        canonicalJson({ payload: sha256(payload), signer: { ...signedBy }, times } as unknown as JsonObject),
      ),
      subjects: subjectsOf(statement),
      statement,
      signer: signedBy,
      times,
      findings: findingsOf(witnesses ?? {}, times),
    };
  } catch (error) {
    if (error instanceof AttestationFormatError) return error.message;
    throw error;
  }
}

/** Each witness is run by somebody else. */
function findingsOf(
  { logEntries, timestamps, scts }: NonNullable<Stated["witnesses"]>,
  [time = 0]: readonly number[],
): NonNullable<Sayings["findings"]> {
  const some = <T>(count: number | null | undefined, make: (operator: string) => T): T[] =>
    Array.from({ length: count ?? 0 }, (_, index) => make(`operator ${index + 1}`));
  return {
    chain: [],
    times: some(timestamps, (operator) => ({
      source: "timestamp-authority",
      name: operator,
      operator,
      time,
    })),
    scts: some(scts, (operator) => ({ log: operator, operator, time })),
    logEntries: some(logEntries, (operator) => ({ log: operator, operator, kind: "stated", proven: true })),
  };
}

function signerOf({ key, ...certified }: NonNullable<Stated["signer"]>): Signer | undefined {
  const { issuer, identity, instance, claims } = certified;
  if (key) {
    const isBoth = issuer || identity || instance || claims;
    return isBoth ? undefined : { case: "key", name: key, keyId: sha256(key) };
  }
  if (!issuer || !identity) return undefined;
  // The reader took only texts, and only of these names.
  return {
    case: "certificate",
    issuer,
    identity,
    claims: (claims ?? {}) as CertificateClaims,
    instance: instance || "stated",
  };
}

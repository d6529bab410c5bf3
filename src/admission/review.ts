import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "../in-toto-attestation/index.ts";

/** What the API server asks (k8s.io/api/admission/v1, AdmissionRequest); members that nothing here is decided by are left out. */
export interface AdmissionRequest {
  /** Names the question: the answer bears it too. */
  readonly uid: string;
  /** `group/version/kind`, the group empty for the core: what the object is converted to, as the webhook's rules name it. */
  readonly kind: string;
  /** Empty for what belongs to no namespace. */
  readonly namespace: string;
  readonly operation: Operation;
  /** Absent when something is deleted. */
  readonly object: JsonObject | undefined;
  /** What was there: absent when something is created. */
  readonly oldObject: JsonObject | undefined;
}

const OPERATIONS = ["CREATE", "UPDATE", "DELETE", "CONNECT"] as const;
type Operation = (typeof OPERATIONS)[number];

const API_VERSION = "admission.k8s.io/v1";
const KIND = "AdmissionReview";
/** The API server takes objects of 3 MiB; a review of an update has two, and is JSON where they may not have been. */
export const MAX_REVIEW = 8 * 1024 * 1024;
const MAX_DEPTH = 100;

/** A body that is no review. */
export class MalformedReview extends Error {}

/**
 * Reads an AdmissionReview with a request. Members that are not known are let be, as the API's own conventions have it: what decides is strict.
 *
 * Throws `MalformedReview`.
 */
export function parseReview(bytes: Uint8Array): AdmissionRequest {
  const review = objectOf(parse(bytes), "the body");
  if (review.apiVersion !== API_VERSION || review.kind !== KIND)
    throw new MalformedReview(`the body is no ${KIND} of ${API_VERSION}`);
  const request = objectOf(review.request, "request");
  const { uid, operation } = request;
  if (typeof uid !== "string" || !/^[\x21-\x7e]{1,200}$/.test(uid)) throw new MalformedReview("no uid");
  const known = OPERATIONS.find((one) => one === operation);
  if (known === undefined) throw new MalformedReview("no operation that is known");
  const kind = objectOf(request.kind, "kind");
  return {
    uid,
    kind: [
      textOf(kind.group ?? "", "group"),
      textOf(kind.version, "version"),
      textOf(kind.kind, "kind"),
    ].join("/"),
    namespace: textOf(request.namespace ?? "", "namespace"),
    operation: known,
    object: optional(request.object, "object"),
    oldObject: optional(request.oldObject, "oldObject"),
  };
}

export interface AdmissionAnswer {
  readonly allowed: boolean;
  /** Why not, for who asked the API server: one sentence or several. */
  readonly message?: string;
  /** Shown to who asked, also when it is allowed. */
  readonly warnings?: readonly string[];
  /** For the API server's audit log. */
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}

/** The answer as an AdmissionReview. */
export function reviewOf(
  uid: string,
  { allowed, message, warnings = [], auditAnnotations = {} }: AdmissionAnswer,
) {
  return {
    apiVersion: API_VERSION,
    kind: KIND,
    response: {
      uid,
      allowed,
      ...(message !== undefined && {
        status: { status: "Failure", code: 403, reason: "Forbidden", message },
      }),
      ...(warnings.length > 0 && { warnings }),
      auditAnnotations,
    },
  };
}

function parse(bytes: Uint8Array): JsonValue {
  try {
    return parseJson(bytes, { maxBytes: MAX_REVIEW, maxDepth: MAX_DEPTH });
  } catch (cause) {
    throw new MalformedReview("the body is not strict JSON", { cause });
  }
}

/** Go writes null for what is not there. */
function optional(value: JsonValue | undefined, what: string): JsonObject | undefined {
  return value === undefined || value === null ? undefined : objectOf(value, what);
}

function objectOf(value: JsonValue | undefined, what: string): JsonObject {
  if (!isJsonObject(value)) throw new MalformedReview(`${what} is no object`);
  return value;
}

function textOf(value: JsonValue | undefined, what: string): string {
  if (typeof value !== "string" || value.length > 253) throw new MalformedReview(`${what} is no name`);
  return value;
}

import type { KeyObject } from "node:crypto";
import { VouchsafeError } from "../../errors.ts";
import { parseJwks } from "../../identity/trust-bundle.ts";
import type { Glob } from "../glob.ts";
import { documentOf } from "./document.ts";
import { list, optional, pattern, type Reader, record, refuse, required, text, textLike } from "./readers.ts";

/** A loaded document of kind AgentEnrollment: who joins as an agent without a join token. Only `loadPolicySet` makes one. */
export interface AgentEnrollment {
  readonly name: string;
  readonly description?: string;
  /** `sha256:…` of the canonical JSON of the document. */
  readonly hash: string;
  /** The file that it stands in. */
  readonly file: string;
  readonly spec: EnrollmentSpec;
}

export type EnrollmentSpec =
  | ({ readonly case: "kubernetes" } & KubernetesEnrollment)
  | { readonly case: "svid"; readonly spiffeIds: readonly Glob[] };

/** Pods that hold a projected token of a service account. */
export interface KubernetesEnrollment {
  /** What the cluster is called in the names of its agents. */
  readonly cluster: string;
  /** `iss` of its tokens. */
  readonly issuer: string;
  readonly audience: string;
  /** `NAMESPACE/NAME`. */
  readonly serviceAccounts: readonly string[];
  /** What its tokens are signed with, by key ID. */
  readonly keys: ReadonlyMap<string, KeyObject>;
}

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const cluster = textLike(new RegExp(`^${LABEL}$`), "a name of a-z, 0-9 and `-`");
const serviceAccount = textLike(
  new RegExp(`^${LABEL}/[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$`),
  "`NAMESPACE/NAME` of a service account",
);

/** RFC 7517, as `kubectl get --raw /openid/v1/jwks` prints it. */
const keys: Reader<ReadonlyMap<string, KeyObject>> = (source, node, parent) => {
  const written = text(source, node, parent);
  if (written === undefined) return undefined;
  try {
    const read = parseJwks(new TextEncoder().encode(written));
    return read.size > 0 ? read : refuse(source, node, parent, "there is no key: no token could be verified");
  } catch (error) {
    if (!(error instanceof VouchsafeError)) throw error;
    return refuse(source, node, parent, error.message);
  }
};

const written = record(
  {
    kubernetes: optional(
      record({
        cluster: required(cluster),
        issuer: required(text),
        audience: required(text),
        serviceAccounts: required(list(serviceAccount)),
        keys: required(keys),
      }),
    ),
    svid: optional(record({ spiffeIds: required(list(pattern)) })),
  },
  ({ kubernetes, svid }) =>
    (kubernetes === undefined) === (svid === undefined)
      ? "either `kubernetes` or `svid` is expected: a document is of one way to join"
      : undefined,
);

const spec: Reader<EnrollmentSpec> = (source, node, parent) => {
  const { kubernetes, svid } = written(source, node, parent) ?? {};
  if (kubernetes !== undefined) return { case: "kubernetes", ...kubernetes };
  return svid && { case: "svid", ...svid };
};

export const enrollmentDocument = documentOf(["AgentEnrollment"], spec);

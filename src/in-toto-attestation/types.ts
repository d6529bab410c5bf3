/** Any value that strict JSON can hold. Objects that came from outside may have a `__proto__` key of their own. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** `algorithm:hex` in lower case, e.g. `sha256:9f86…`. Made only by `parseDigest` and `digestOf`. */
export type Digest = string & { readonly __digest: unique symbol };

/** in-toto ResourceDescriptor, as far as it is used here (spec/v1/resource_descriptor.md). */
export interface ResourceDescriptor {
  readonly name?: string;
  readonly uri?: string;
  /** As signed: algorithm → value, e.g. `{ sha256: "9f86…" }`. */
  readonly digest: Readonly<Record<string, string>>;
  readonly annotations?: JsonObject;
}

/** in-toto Statement v0.1 or v1 (spec/v1/statement.md). */
export interface Statement {
  readonly type: "https://in-toto.io/Statement/v0.1" | "https://in-toto.io/Statement/v1";
  readonly subject: readonly ResourceDescriptor[];
  readonly predicateType: string;
  readonly predicate: JsonObject;
}

/** DSSE envelope with its base64 decoded (secure-systems-lab/dsse, envelope.md). */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Uint8Array;
  readonly signatures: readonly { readonly keyid?: string; readonly sig: Uint8Array }[];
}

/** What SLSA provenance v0.1, v0.2 and v1 have in common, in the words of v1. */
export interface Provenance {
  readonly version: "v0.1" | "v0.2" | "v1";
  readonly builderId: string;
  readonly buildType: string;
  /** v1 `externalParameters`; v0.2 `invocation.parameters` and `invocation.configSource`; v0.1 `recipe`. */
  readonly externalParameters: JsonObject;
  readonly internalParameters: JsonObject;
  readonly resolvedDependencies: readonly ResourceDescriptor[];
  /** Where the build definition came from, as the provenance (not the certificate) claims it. */
  readonly source?: { readonly uri: string; readonly ref?: string; readonly commit?: string };
  readonly invocationId?: string;
  readonly startedOn?: string;
  readonly finishedOn?: string;
}

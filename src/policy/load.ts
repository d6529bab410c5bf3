import { isMap, isNode, type Node } from "yaml";
import { VouchsafeError } from "../errors.ts";
import type { TrustDomain } from "../identity/spiffe-id.ts";
import {
  AttestationFormatError,
  canonicalJson,
  type Digest,
  isJsonObject,
  type JsonValue,
  parseJson,
  sha256,
} from "../in-toto-attestation/index.ts";
import type { Diagnostic } from "../yaml/diagnostics.ts";
import { diagnosticLine } from "../yaml/diagnostics.ts";
import { readYaml, startOf, type YamlDocument, type YamlSource } from "../yaml/source.ts";
import type { AccessPolicy } from "./access-policy.ts";
import type { Builder } from "./builder.ts";
import { accessDocument, accessPolicyLists } from "./documents/access-schema.ts";
import { type AgentEnrollment, enrollmentDocument } from "./documents/agent-enrollment.ts";
import { builderDocument } from "./documents/builder-schema.ts";
import type { WrittenDocument } from "./documents/document.ts";
import { federationDocument, missingBundle } from "./documents/federation-schema.ts";
import { isText, type Reader } from "./documents/readers.ts";
import { retentionDocument } from "./documents/retention-schema.ts";
import { policyUsing } from "./documents/schema.ts";
import { policyLists, refuseUnknown, workloadDocument } from "./documents/workload-schema.ts";
import type { FederatedTrustDomain } from "./federated-trust-domain.ts";
import { KINDS, type PolicySpec, type VerificationPolicy } from "./policy.ts";
import type { RetentionPolicy } from "./retention.ts";
import type { WorkloadPolicy } from "./workload-policy.ts";

export interface PolicyFile {
  /** Unique in the set, e.g. `release.yaml`. Diagnostics name it. */
  readonly name: string;
  readonly text: string;
}

/** Policies that are in force together. */
export interface PolicySet {
  /** `sha256:…` over each policy's name and hash and over the document. */
  readonly hash: string;
  /** Canonical JSON of the files, sorted by name: the form in which the texts are kept. */
  readonly document: Uint8Array;
  /** `sha256:…` of `document`. */
  readonly documentHash: string;
  readonly files: readonly PolicyFile[];
  readonly policies: ReadonlyMap<string, VerificationPolicy>;
  /** Build platforms that the policies use by name. */
  readonly builders: ReadonlyMap<string, Builder>;
  /** Which workloads may be given which identities. */
  readonly workloads: ReadonlyMap<string, WorkloadPolicy>;
  /** Other trust domains that workloads may be told to believe. */
  readonly federations: ReadonlyMap<TrustDomain, FederatedTrustDomain>;
  /** Who joins as an agent without a join token. */
  readonly enrollments: ReadonlyMap<string, AgentEnrollment>;
  /** Who calls without a token of ours, in the order of their files. */
  readonly access: ReadonlyMap<string, AccessPolicy>;
  /** How long evidence is kept; absent: for ever. */
  readonly retention?: RetentionPolicy;
}

const MAX_FILES = 256;
const MAX_DIAGNOSTICS = 200;
const MAX_DOCUMENT = 16 * 1024 * 1024;

/**
 * Loads policies from YAML files of one or more documents each.
 *
 * Throws `VouchsafeError` `invalid-policy` whose `extensions.diagnostics` (`Diagnostic[]`) lists every mistake of
 * every file; nothing is loaded in part.
 */
export function loadPolicySet(files: readonly PolicyFile[]): PolicySet {
  if (files.length > MAX_FILES) throw new VouchsafeError("invalid-policy", `more than ${MAX_FILES} files`);
  const sorted = files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const builders = new Map<string, Builder>();
  const policies = new Map<string, VerificationPolicy>();
  const workloads = new Map<string, WorkloadPolicy>();
  const read = sorted.map((file) => readYaml(file.name, file.text));
  const placed = read.flatMap(({ source, documents }) => documents.map((document) => ({ source, document })));
  const byKind = Object.groupBy(placed, kindOf);
  const {
    Builder = [],
    WorkloadPolicy = [],
    VerificationPolicy = [],
    RetentionPolicy = [],
    FederatedTrustDomain = [],
    AgentEnrollment = [],
    AccessPolicy = [],
  } = byKind;
  for (const one of Builder) add(builders, builderDocument, one);
  const policyDocument = policyUsing(new Map(Builder.map(nameOf).map((name) => [name, builders.get(name)])));
  for (const one of VerificationPolicy) {
    add(policies, policyDocument, one, (json, spec) => hashWith(json, spec, builders));
  }
  const federations = loadFederations(FederatedTrustDomain);
  for (const one of WorkloadPolicy) {
    add(workloads, workloadDocument, one);
    for (const names of policyLists(memberOf(one.document, ["spec"]))) {
      refuseUnknown(one.source, names, (name) => policies.has(name), "no VerificationPolicy is named");
    }
    const domains = memberOf(one.document, ["spec", "federatesWith"]);
    const isFederated = (name: string) => [...federations.keys()].some((domain) => domain === name);
    refuseUnknown(one.source, domains, isFederated, "no FederatedTrustDomain is of");
  }
  const enrollments = new Map<string, AgentEnrollment>();
  for (const one of AgentEnrollment) add(enrollments, enrollmentDocument, one);
  const access = new Map<string, AccessPolicy>();
  for (const one of AccessPolicy) {
    add(access, accessDocument, one);
    for (const names of accessPolicyLists(memberOf(one.document, ["spec"]))) {
      refuseUnknown(one.source, names, (name) => policies.has(name), "no VerificationPolicy is named");
    }
  }
  const retentions = new Map<string, RetentionPolicy>();
  for (const one of RetentionPolicy) {
    add(retentions, retentionDocument, one);
    if (one === RetentionPolicy[0]) continue;
    one.source.report(
      startOf(one.document.node),
      "there is one RetentionPolicy already: a set has one at most",
    );
  }
  const [retention] = retentions.values();
  const diagnostics = [...repeatedFiles(sorted), ...read.flatMap(({ source }) => source.diagnostics)];
  if (diagnostics.length > 0) throw invalid(diagnostics);
  const document = new TextEncoder().encode(canonicalJson(sorted.map(({ name, text }) => ({ name, text }))));
  const documentHash = sha256(document);
  const hash = sha256(
    canonicalJson({
      document: documentHash,
      policies: hashesOf(policies),
      ...(workloads.size > 0 && { workloads: hashesOf(workloads) }),
      ...(builders.size > 0 && { builders: hashesOf(builders) }),
    }),
  );
  return {
    hash,
    document,
    documentHash,
    files: sorted,
    policies,
    builders,
    workloads,
    federations,
    enrollments,
    access,
    ...(retention && { retention }),
  };
}

/** By trust domain, each of which has one document. */
function loadFederations(
  documents: readonly PlacedDocument[],
): ReadonlyMap<TrustDomain, FederatedTrustDomain> {
  const named = new Map<string, FederatedTrustDomain>();
  const federations = new Map<TrustDomain, FederatedTrustDomain>();
  const report = ({ source, document }: PlacedDocument, member: string, message: string) =>
    source.report(startOf(memberOf(document, ["spec", member]) ?? document.node), message);
  for (const one of documents) {
    add(named, federationDocument, one);
    const loaded = named.get(nameOf(one));
    if (loaded === undefined) continue;
    const { trustDomain } = loaded.spec;
    const earlier = federations.get(trustDomain);
    if (earlier === undefined) federations.set(trustDomain, loaded);
    else if (earlier !== loaded)
      report(one, "trustDomain", `\`${trustDomain}\` is also that of one in ${earlier.file}`);
  }
  for (const one of documents) {
    const loaded = named.get(nameOf(one));
    const missing = loaded && missingBundle(loaded.spec, (trustDomain) => federations.has(trustDomain));
    if (missing !== undefined) report(one, "bundleEndpointProfile", missing);
  }
  return federations;
}

/** Loads a set from the `document` of one, as the log keeps it. Throws like `loadPolicySet`. */
export function loadPolicyDocument(document: Uint8Array): PolicySet {
  const files = readDocument(document);
  if (!Array.isArray(files)) throw notADocument();
  return loadPolicySet(
    files.map((file: JsonValue) => {
      if (!isJsonObject(file) || typeof file.name !== "string" || typeof file.text !== "string") {
        throw notADocument();
      }
      return { name: file.name, text: file.text };
    }),
  );
}

function readDocument(document: Uint8Array): JsonValue {
  try {
    return parseJson(document, { maxBytes: MAX_DOCUMENT, maxDepth: 4 });
  } catch (cause) {
    if (cause instanceof AttestationFormatError) throw notADocument(cause);
    throw cause;
  }
}

interface PlacedDocument {
  readonly source: YamlSource;
  readonly document: YamlDocument;
}

/** The reader of verification policies refuses what is of no kind. */
export function kindOf({ document: { json } }: PlacedDocument): (typeof KINDS)[number] {
  const kind = isJsonObject(json) ? json.kind : undefined;
  return KINDS.find((known) => known === kind) ?? "VerificationPolicy";
}

export function nameOf({ document }: PlacedDocument): string {
  const name = memberOf(document, ["metadata", "name"]) ?? null;
  return isText(name) ? name.value : "";
}

interface Loaded<Spec> {
  readonly name: string;
  readonly description?: string;
  readonly owner?: string;
  readonly hash: string;
  readonly file: string;
  readonly spec: Spec;
}

/** Adds the document to those of its kind; each kind has names of its own. */
function add<Spec>(
  loaded: Map<string, Loaded<Spec>>,
  reader: Reader<WrittenDocument<Spec>>,
  { source, document }: PlacedDocument,
  hashOf: (json: JsonValue, spec: Spec) => Digest = (json) => sha256(canonicalJson(json)),
): void {
  const { node, json } = document;
  const read = reader(source, node, node);
  if (read === undefined) return;
  const { name } = read.metadata;
  const earlier = loaded.get(name);
  if (earlier !== undefined) {
    const offset = startOf(memberOf(document, ["metadata", "name"]) ?? node);
    source.report(offset, `\`${name}\` is also the name of one in ${earlier.file}`);
    return;
  }
  loaded.set(name, {
    ...read.metadata,
    hash: hashOf(json, read.spec),
    file: source.file,
    spec: read.spec,
  });
}

export function memberOf({ node }: YamlDocument, path: readonly string[]): Node | undefined {
  const member = isMap(node) ? node.getIn(path, true) : undefined;
  return isNode(member) ? member : undefined;
}

/** Verdicts belong to a policy's hash, so that the builders which it uses are part of it. */
function hashWith(json: JsonValue, spec: PolicySpec, builders: ReadonlyMap<string, Builder>): Digest {
  const hash = sha256(canonicalJson(json));
  const used = (spec.builders ?? []).flatMap(({ use = "" }) => builders.get(use) ?? []);
  if (used.length === 0) return hash;
  return sha256(canonicalJson({ policy: hash, builders: used.map(({ name, hash }) => ({ name, hash })) }));
}

function hashesOf(policies: ReadonlyMap<string, Loaded<unknown>>): { name: string; hash: string }[] {
  return [...policies.values()].map(({ name, hash }) => ({ name, hash }));
}

function repeatedFiles(sorted: readonly PolicyFile[]): Diagnostic[] {
  return sorted
    .filter(({ name }, index) => name === sorted[index + 1]?.name)
    .map(({ name }) => ({ file: name, line: 1, column: 1, message: "two files have this name" }));
}

/** In the order in which they stand in the files; of very many, the first. */
export function sortedDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return diagnostics
    .toSorted((a, b) =>
      a.file === b.file ? a.line - b.line || a.column - b.column : a.file < b.file ? -1 : 1,
    )
    .slice(0, MAX_DIAGNOSTICS);
}

export function invalid(diagnostics: readonly Diagnostic[]): VouchsafeError {
  const ordered = sortedDiagnostics(diagnostics);
  const [first] = ordered;
  const place = first === undefined ? "" : diagnosticLine(first);
  const message = diagnostics.length === 1 ? place : `${diagnostics.length} mistakes, the first: ${place}`;
  return new VouchsafeError("invalid-policy", message, { extensions: { diagnostics: ordered } });
}

function notADocument(cause?: unknown): VouchsafeError {
  return new VouchsafeError("invalid-policy", "not the canonical JSON of a list of policy files", { cause });
}

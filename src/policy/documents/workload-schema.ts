import { isMap, isSeq, type Node } from "yaml";
import { VouchsafeError } from "../../errors.ts";
import { isReserved } from "../../identity/agent-id.ts";
import { parseTrustDomain, spiffeId } from "../../identity/spiffe-id.ts";
import { offsetWithin, startOf, type YamlSource } from "../../yaml/source.ts";
import { ATTESTED, type ComponentDemand, EXECUTABLE } from "../components.ts";
import { parseFilePattern } from "../file-pattern.ts";
import { GlobError } from "../glob.ts";
import { MODES } from "../policy.ts";
import { namesDigest, spiffePath, type WorkloadSpec } from "../workload-policy.ts";
import { documentOf, type WrittenDocument } from "./document.ts";
import { trustDomain } from "./federation-schema.ts";
import {
  duration,
  isText,
  list,
  NAME,
  name,
  oneOf,
  optional,
  pattern,
  type Reader,
  record,
  refuse,
  required,
  table,
  text,
} from "./readers.ts";

const MAX_COMPONENTS = 8;
const MAX_PATTERNS = 16;
const MINUTE = 60_000;
const DEFAULT_TTL = { x509: 10 * MINUTE, jwt: 5 * MINUTE };
const MAX_TTL = { x509: 60 * MINUTE, jwt: 15 * MINUTE };
/** Hex digits of the longest digest that grounds an identity (sha512). */
const LONGEST_DIGEST = "0".repeat(128);
/** Leaves room for the longest trust domain (255), digests and a name in the 2,048 bytes of an ID. */
const MAX_TEMPLATE = 1024;
/** The bundle of each is in every answer to the workload. */
const MAX_FEDERATED = 32;
const EXAMPLE_DOMAIN = parseTrustDomain("example.org");

function atMost(most: number): Reader<number> {
  return (source, node, parent) => {
    const read = duration(source, node, parent);
    if (read === undefined || read <= most) return read;
    return refuse(source, node, parent, `at most ${most / MINUTE}m`);
  };
}

const pathTemplate: Reader<string> = (source, node, parent) => {
  if (!isText(node) || !node.value.startsWith("/")) {
    return refuse(source, node, parent, "the path of a SPIFFE ID, which begins with `/`, is expected");
  }
  if (node.value.length > MAX_TEMPLATE) return refuse(source, node, parent, "too long for a SPIFFE ID");
  try {
    spiffeId(EXAMPLE_DOMAIN, spiffePath({ name: "a", spec: { spiffeId: node.value } }, LONGEST_DIGEST));
    return node.value;
  } catch (error) {
    if (!(error instanceof VouchsafeError)) throw error;
    return refuse(source, node, parent, `${error.message}; the variables are \`{digest}\` and \`{policy}\``);
  }
};

/** Told to whoever reads the inventory: a team, an address. */
const owner: Reader<string> = (source, node, parent) => {
  const read = text(source, node, parent);
  if (read === undefined || /^\P{Cc}{1,200}$/u.test(read)) return read;
  return refuse(source, node, parent, "one line of at most 200 characters is expected");
};

const policies = list(text, 8);

const filePath: Reader<string> = (source, node, parent) => {
  if (!isText(node)) return refuse(source, node, parent, "the absolute path of a file is expected");
  try {
    parseFilePattern(node.value);
    return node.value;
  } catch (error) {
    if (!(error instanceof GlobError)) throw error;
    return source.report(offsetWithin(source, node, error.offset), `bad path: ${error.message}`);
  }
};

const component = record({ policies: required(policies), files: optional(list(filePath, MAX_PATTERNS)) });

/** At least one, each of a name of its own. */
const components: Reader<ReadonlyMap<string, ComponentDemand>> = (source, node, parent) => {
  const read = table(component)(source, node, parent);
  if (read === undefined || node === null) return undefined;
  if (read.size === 0)
    return refuse(source, node, parent, "no component is named: nothing would be asked for");
  if (read.size > MAX_COMPONENTS)
    return refuse(source, node, parent, `more than ${MAX_COMPONENTS} components`);
  const misnamed = [...read.keys()].find((one) => !NAME.test(one));
  if (misnamed !== undefined) return refuse(source, node, parent, `\`${misnamed}\` names no component`);
  const taken = ATTESTED.find((one) => read.get(one)?.files !== undefined);
  return taken === undefined
    ? read
    : refuse(source, node, parent, `\`${taken}\` is attested as such: files need another name`);
};

const writtenSpec = record({
  mode: optional(oneOf(MODES)),
  selectors: required(list(pattern, 64)),
  spiffeId: required(pathTemplate),
  policies: optional(policies),
  components: optional(components),
  ttl: optional(record({ x509: optional(atMost(MAX_TTL.x509)), jwt: optional(atMost(MAX_TTL.jwt)) })),
  audiences: optional(list(pattern)),
  federatesWith: optional(list(trustDomain, MAX_FEDERATED)),
  requesters: required(
    record({ agents: optional(list(pattern)), issuers: optional(list(text)) }, ({ agents, issuers }) =>
      agents || issuers ? undefined : "`agents` or `issuers` is missing: nobody could ask",
    ),
  ),
});

const spec: Reader<WorkloadSpec> = (source, node, parent) => {
  const written = writtenSpec(source, node, parent);
  if (written === undefined) return undefined;
  const { ttl, requesters, policies, components, federatesWith = [], mode = "enforce", ...rest } = written;
  if ((policies === undefined) === (components === undefined)) {
    return refuse(
      source,
      node,
      parent,
      "either `components` or, for the executable alone, `policies` is expected",
    );
  }
  return {
    ...rest,
    mode,
    federatesWith,
    components: components ?? new Map([[EXECUTABLE, { policies: policies ?? [] }]]),
    ttl: { ...DEFAULT_TTL, ...ttl },
    requesters: { agents: requesters.agents ?? [], issuers: requesters.issuers ?? [] },
  };
};

const written = documentOf(
  ["WorkloadPolicy"],
  spec,
  record({ name: required(name), description: optional(text), owner: optional(owner) }),
);

/** Reads one document. What is wrong with it is reported, all of it. */
export const workloadDocument: Reader<WrittenDocument<WorkloadSpec>> = (source, node, parent) => {
  const read = written(source, node, parent);
  if (read === undefined) return undefined;
  // Only here is the name known that `{policy}` stands for.
  const path = spiffePath({ name: read.metadata.name, spec: read.spec }, LONGEST_DIGEST);
  if (isReserved(spiffeId(EXAMPLE_DOMAIN, path))) {
    return refuse(source, node, parent, "SPIFFE IDs under `/vouchsafe` are the service's own");
  }
  const [[first = "", { files = [] } = {}] = []] = read.spec.components;
  const isOne = files.length <= 1 && files.every((file) => parseFilePattern(file).isExact);
  return isOne || !namesDigest(read.spec)
    ? read
    : refuse(source, node, parent, `\`{digest}\` is of one file, and \`${first}\` may be several`);
};

/** The document's lists of VerificationPolicies, as they are written. */
export function policyLists(spec: Node | undefined): unknown[] {
  if (!isMap(spec)) return [];
  const components = spec.get("components");
  return isMap(components)
    ? components.items.map(({ value }) => isMap(value) && value.get("policies"))
    : [spec.get("policies")];
}

/** Reports each name in a list of the document that nothing in the set has: a VerificationPolicy, a trust domain. */
export function refuseUnknown(
  source: YamlSource,
  names: unknown,
  isKnown: (name: string) => boolean,
  complaint: string,
): void {
  if (!isSeq(names)) return;
  for (const item of names.items as (Node | null)[]) {
    if (item === null || !isText(item) || isKnown(item.value)) continue;
    source.report(startOf(item), `${complaint} \`${item.value}\``);
  }
}

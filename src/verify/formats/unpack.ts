import { VouchsafeError } from "../../errors.ts";
import {
  canonicalJson,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseEnvelope,
  parseJson,
  parseStatement,
} from "../../in-toto-attestation/index.ts";

/** Documents that hold several pieces of evidence, by the member that tells them. */
const CONTAINERS: ReadonlyMap<string, (container: JsonObject) => readonly JsonObject[]> = new Map([
  ["attestations", ofRegistry],
  ["attestation_bundles", ofPyPi],
  ["provenance_summary", ofCloudBuild],
]);

const MAX_PIECES = 32;
const MAX_LINES = 1000;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * The pieces of evidence in a container, each as its own document in canonical JSON: attestations as an npm registry
 * or GitHub's API answers them, PyPI provenance (PEP 740), provenance as `gcloud artifacts docker images describe`
 * prints it. Undefined for any other bytes. What a container says about its pieces beside them is not evidence: a
 * label that contradicts its piece refuses the container, the rest is left behind.
 *
 * Throws `VouchsafeError` (`unknown-evidence-format`, `malformed-statement`, `too-many-items`) or
 * `AttestationFormatError` for a container whose pieces cannot be had.
 */
export function unpackEvidence(bytes: Uint8Array): Uint8Array[] | undefined {
  // Nearly every upload is one piece of evidence: it is not to be parsed twice to learn that.
  const names = [...CONTAINERS.keys()].filter((name) => includes(bytes, `"${name}"`));
  const container = names.length === 0 ? undefined : jsonIn(bytes);
  const unpack = names
    .filter((name) => container?.[name] !== undefined)
    .map((name) => CONTAINERS.get(name))[0];
  if (container === undefined || unpack === undefined) return undefined;
  const pieces = unpack(container);
  if (pieces.length === 0)
    throw new VouchsafeError("unknown-evidence-format", "the container holds no evidence");
  return pieces.map((piece) => Buffer.from(canonicalJson(piece)));
}

function includes(bytes: Uint8Array, text: string): boolean {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(text);
}

/** What is no JSON is no container; that it is no evidence either is found where evidence is verified. */
function jsonIn(bytes: Uint8Array): JsonObject | undefined {
  try {
    const json = parseJson(bytes);
    return isJsonObject(json) ? json : undefined;
  } catch {
    return undefined;
  }
}

function ofRegistry({ attestations }: JsonObject): JsonObject[] {
  return objects(attestations, "attestations").map((attestation) => {
    const { bundle, predicateType } = attestation;
    if (!isJsonObject(bundle)) throw notAContainer("an attestation holds no bundle");
    // GitHub labels nothing.
    if (predicateType !== undefined) requireLabel(bundle, predicateType);
    return bundle;
  });
}

function requireLabel({ dsseEnvelope = null }: JsonObject, predicateType: JsonValue): void {
  const { payload } = parseEnvelope(dsseEnvelope);
  if (parseStatement(payload).predicateType === predicateType) return;
  throw new VouchsafeError(
    "malformed-statement",
    "the registry's label is not the Statement's predicate type",
  );
}

function ofPyPi({ version, attestation_bundles }: JsonObject): JsonObject[] {
  if (version !== 1) throw notAContainer("the provenance's version is not 1");
  const attestations = objects(attestation_bundles, "attestation_bundles").flatMap((bundle) =>
    objects(bundle.attestations, "attestations"),
  );
  return bounded(attestations);
}

function ofCloudBuild({ provenance_summary }: JsonObject): JsonObject[] {
  const { provenance } = isJsonObject(provenance_summary) ? provenance_summary : {};
  return objects(provenance, "provenance_summary.provenance").map(({ envelope }) => {
    if (!isJsonObject(envelope)) throw notAContainer("a provenance holds no envelope");
    return envelope;
  });
}

function objects(value: JsonValue | undefined, what: string): JsonObject[] {
  if (!Array.isArray(value)) throw notAContainer(`${what} is not an array`);
  return bounded(value).map((item: JsonValue) => {
    if (!isJsonObject(item)) throw notAContainer(`an item of ${what} is not an object`);
    return item;
  });
}

function bounded<T>(items: T[]): T[] {
  if (items.length <= MAX_PIECES) return items;
  throw new VouchsafeError("too-many-items", `a container holds at most ${MAX_PIECES} pieces of evidence`);
}

function notAContainer(what: string): VouchsafeError {
  return new VouchsafeError("unknown-evidence-format", `the evidence cannot be unpacked: ${what}`);
}

/**
 * The lines of a JSON Lines upload, each exactly as it was sent; empty ones are left out.
 *
 * @throws VouchsafeError `too-many-items` over 1,000 lines, `invalid-request` for none
 */
export function splitJsonLines(body: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < body.length; ) {
    const newline = body.indexOf(NEWLINE, start);
    const next = newline === -1 ? body.length : newline;
    const end = next > start && body[next - 1] === CARRIAGE_RETURN ? next - 1 : next;
    if (end > start) lines.push(body.subarray(start, end));
    if (lines.length > MAX_LINES)
      throw new VouchsafeError("too-many-items", `Send at most ${MAX_LINES} lines at once`);
    start = next + 1;
  }
  if (lines.length === 0) throw new VouchsafeError("invalid-request", "The body holds no line");
  return lines;
}

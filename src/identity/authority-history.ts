import { DerError } from "../der/reader.ts";
import { VouchsafeError } from "../errors.ts";
import {
  type Digest,
  decodeBase64,
  isJsonObject,
  type JsonObject,
  sha256,
} from "../in-toto-attestation/index.ts";
import { type Certificate, parseCertificate } from "../x509/certificate.ts";
import { authorityId, type BelievedAuthority } from "./believed-authorities.ts";
import { exportJwk, importJwk, jwkThumbprint } from "./jwk.ts";
import { parseTrustDomain, type TrustDomain } from "./spiffe-id.ts";

// What the log says of authorities (docs/log-format.md): events in, what is believed out.

/** An event of the installation, opened. */
export interface AuthorityEvent {
  readonly type: string;
  readonly index: number;
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly body: JsonObject;
}

interface Moment {
  readonly index: number;
  readonly time: number;
}

/** What the log says of one authority. */
export interface AuthorityRecord {
  readonly id: Digest;
  readonly trustDomain: TrustDomain;
  /** From then on it is in the bundle. Absent for one of a version that recorded no certificates. */
  readonly prepared?: Moment & BelievedAuthority;
  /** From then on it signs. */
  readonly activated?: Moment;
  /** From then on it is in no bundle and signs nothing; for ever. */
  readonly retired?: Moment & { readonly byOperator: boolean; readonly reason: string };
}

export type AuthorityHistory = ReadonlyMap<Digest, AuthorityRecord>;

/** The body of the event by which all nodes learn of an authority. */
export function preparedBody(
  trustDomain: TrustDomain,
  { root, jwtKeyId, jwtPublicKey }: BelievedAuthority,
): JsonObject {
  return {
    ...describedBody(trustDomain, { root, jwtKeyId }),
    certificate: Buffer.from(root.der).toString("base64"),
    jwtKey: exportJwk(jwtPublicKey),
    notBefore: new Date(root.notBefore).toISOString(),
    notAfter: new Date(root.notAfter).toISOString(),
  };
}

/** What names an authority, in each event about it. */
export function describedBody(
  trustDomain: TrustDomain,
  { root, jwtKeyId }: Pick<BelievedAuthority, "root" | "jwtKeyId">,
): JsonObject {
  const authority = authorityId({ trustDomain, root, jwtKeyId });
  return { authority, trustDomain, x509Root: sha256(root.der), jwtKeyId };
}

/**
 * What stands after these events too, in the order of the log.
 *
 * Throws `log-inconsistent` for an event that does not say what its type says.
 */
export function withEvents(history: AuthorityHistory, events: readonly AuthorityEvent[]): AuthorityHistory {
  const records = new Map(history);
  for (const event of events) READERS.get(event.type)?.(records, event);
  return records;
}

type Records = Map<Digest, AuthorityRecord>;

const READERS: ReadonlyMap<string, (records: Records, event: AuthorityEvent) => void> = new Map([
  [
    "authority.prepared",
    (records, { index, time, body }) => {
      const record = recordOf(records, body);
      records.set(record.id, { ...record, prepared: { index, time, ...readBelieved(record, body) } });
    },
  ],
  [
    "authority.activated",
    (records, { index, time, body }) => {
      const record = recordOf(records, body);
      // Until authorities were prepared there was one at a time, whose place another one took.
      const replaced = records.get(body.previous as Digest);
      if (replaced !== undefined) {
        const retired = { index, time, byOperator: true, reason: "replaced" };
        records.set(replaced.id, { ...replaced, retired });
      }
      const { retired: _, ...standing } = record;
      records.set(record.id, { ...(record.prepared ? record : standing), activated: { index, time } });
    },
  ],
  [
    "authority.retired",
    (records, { index, time, body }) => {
      const record = records.get(body.authority as Digest);
      if (record === undefined || typeof body.reason !== "string") throw inconsistent(index);
      const retired = { index, time, byOperator: body.caller !== null, reason: body.reason };
      records.set(record.id, { ...record, retired });
    },
  ],
]);

/** The types of events that tell of authorities. */
export const AUTHORITY_EVENTS = ["authority.prepared", "authority.activated", "authority.retired"] as const;

function recordOf(records: Records, { authority, trustDomain }: JsonObject): AuthorityRecord {
  const known = records.get(authority as Digest);
  if (known !== undefined) return known;
  return { id: authority as Digest, trustDomain: parseTrustDomain(String(trustDomain)) };
}

function readBelieved({ id, trustDomain }: AuthorityRecord, body: JsonObject): BelievedAuthority {
  const der = typeof body.certificate === "string" ? decodeBase64(body.certificate) : undefined;
  const jwtPublicKey = isJsonObject(body.jwtKey) ? importJwk(body.jwtKey) : undefined;
  const root = der && certificateOf(der);
  if (root === undefined || jwtPublicKey === undefined) throw inconsistent(id);
  const jwtKeyId = jwkThumbprint(jwtPublicKey);
  if (authorityId({ trustDomain, root, jwtKeyId }) !== id) throw inconsistent(id);
  return { root, jwtKeyId, jwtPublicKey };
}

function certificateOf(der: Uint8Array): Certificate | undefined {
  try {
    return parseCertificate(der);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}

function inconsistent(what: string | number): VouchsafeError {
  return new VouchsafeError(
    "log-inconsistent",
    `What the log says of the authority ${what} contradicts itself`,
  );
}

/** Prepared and not taken out again: what bundles hold, in the order of the log. */
export function believed(history: AuthorityHistory): BelievedAuthority[] {
  return [...history.values()]
    .flatMap(({ prepared, retired }) => (prepared === undefined || retired !== undefined ? [] : prepared))
    .sort((a, b) => a.index - b.index);
}

/**
 * The other authorities that are believed by the same root or the same key for JWT-SVIDs: as long as one of them is, so is what
 * this one signed.
 */
export function believedBeside(history: AuthorityHistory, id: Digest): Digest[] {
  const one = history.get(id)?.prepared;
  return [...history.values()].flatMap((other) => {
    const { prepared, retired } = other;
    if (one === undefined || prepared === undefined || retired !== undefined || other.id === id) return [];
    const isShared =
      prepared.jwtKeyId === one.jwtKeyId || Buffer.from(prepared.root.der).equals(one.root.der);
    return isShared ? [other.id] : [];
  });
}

/** What was ever prepared, also what is retired: for certificates that are believed because the log has each of them. */
export function everBelieved(history: AuthorityHistory): BelievedAuthority[] {
  return [...history.values()].flatMap(({ prepared }) => prepared ?? []);
}

/** The index of the last event that changed what is believed: the same on all nodes, and larger after each change. */
export function bundleSequence(history: AuthorityHistory): number {
  return Math.max(
    0,
    ...[...history.values()].flatMap(({ prepared, retired }) => [prepared?.index ?? 0, retired?.index ?? 0]),
  );
}

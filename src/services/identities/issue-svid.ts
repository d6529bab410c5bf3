import { randomBytes } from "node:crypto";
import type { Receipt } from "../../custody/receipt.ts";
import { VouchsafeError } from "../../errors.ts";
import { parseCsr } from "../../identity/csr.ts";
import type { Grounds } from "../../identity/grounds.ts";
import type { SpiffeId } from "../../identity/spiffe-id.ts";
import { serialFrom } from "../../identity/x509-svid.ts";
import { parseDigest, sha256 } from "../../in-toto-attestation/digest.ts";
import { ABSENCES, type Absence, type Components, digestsOf } from "../../policy/components.ts";
import type { WorkloadPolicy } from "../../policy/workload-policy.ts";
import { decodeBase64, encodeBase64 } from "../../tlog/base64.ts";
import type { Caller } from "../caller.ts";
import type { Vouchsafe } from "../context.ts";
import { traced } from "../telemetry/tracing.ts";
import type { SigningAuthority } from "./authority.ts";
import { type Grant, grantIdentities, type IdentityRequest } from "./grant-identities.ts";
import { type DenialReason, notRegistered } from "./judge-workload.ts";

/** What was attested of a running process. */
export interface AttestedSubject {
  /** E.g. `unix:uid:1000`. */
  readonly selectors: readonly string[];
  /** What it runs, by component, e.g. `executable` or `image`: digests, `algorithm:hex`. */
  readonly components: Readonly<Record<string, readonly string[]>>;
  /** Why components that could be expected are not there, e.g. `interpreter` for `executable`. */
  readonly absent?: Readonly<Record<string, string>>;
}

export interface X509SvidRequest extends AttestedSubject {
  /** PKCS#10, base64 DER: only its key is taken. */
  readonly csr: string;
  /** Serial numbers in hex of the SVIDs that the new ones take the place of, each of its own workload policy. */
  readonly renews?: readonly string[];
}

export interface JwtSvidRequest extends AttestedSubject {
  readonly audiences: readonly string[];
  /** This one only, where the workload has several. */
  readonly spiffeId?: string;
}

/** Each is judged: so many at most. */
const MAX_DIGESTS = 128;
/** How long before it is signed a certificate or a revocation list begins, so that clocks may differ, in milliseconds. */
export const BACKDATED = 30_000;

/**
 * Grants X.509-SVIDs for one key: one under each workload policy that the workload is entitled by.
 *
 * @throws VouchsafeError `invalid-csr`, and what `grantIdentities` throws
 */
export async function issueX509Svids(v: Vouchsafe, caller: Caller, request: X509SvidRequest) {
  const { spki } = readCsr(request.csr);
  const asked = {
    kind: "x509",
    ...subjectOf(request),
    keyHash: sha256(spki),
    newSerial,
    ...(request.renews !== undefined && { renews: request.renews }),
  } as const;
  const grants = await v.metrics.timed("x509-svid", () =>
    traced(v, "grant", () => grantIdentities(v, caller, asked)),
  );
  return {
    svids: await Promise.all(
      grants.map(async (grant) => {
        const { authority, spiffeId, serial, issuedAt, expiresAt } = grant;
        const svid = await authority.x509({
          spki,
          spiffeId,
          serial: Buffer.from(serial, "hex"),
          notBefore: issuedAt - BACKDATED,
          notAfter: expiresAt,
          grounds: groundsOf(grant),
        });
        return { ...described(grant), serial, chain: chainOf(authority, svid) };
      }),
    ),
    bundle: x509Bundle(v),
  };
}

/**
 * Grants JWT-SVIDs for these audiences.
 *
 * @throws VouchsafeError what `grantIdentities` throws
 */
export async function issueJwtSvids(v: Vouchsafe, caller: Caller, request: JwtSvidRequest) {
  const { audiences } = request;
  const asked: IdentityRequest = {
    kind: "jwt",
    ...subjectOf(request),
    keyHash: null,
    newSerial: () => randomBytes(16).toString("base64url"),
    refuse: (workload, id) => refuseAudience(workload, audiences) ?? refuseOthers(id, request.spiffeId),
  };
  const grants = await v.metrics.timed("jwt-svid", () =>
    traced(v, "grant", () => grantIdentities(v, caller, asked)),
  );
  return {
    svids: await Promise.all(
      grants.map(async (grant) => {
        const { authority, spiffeId, serial: jti, issuedAt, expiresAt } = grant;
        const issuer = v.config.oidcIssuer;
        const token = await authority.jwt({
          spiffeId,
          ...(issuer !== undefined && { issuer }),
          audiences,
          issuedAt,
          expiresAt,
          jti,
          grounds: groundsOf(grant),
        });
        return { ...described(grant), token };
      }),
    ),
  };
}

/** What the SVID says it rests on, and where it stands in the log itself: known now that it is committed. */
function groundsOf({ grounds, receipt }: Grant): Grounds {
  return { ...grounds, index: receipt.index };
}

/** The key of a request that is base64 DER. @throws VouchsafeError `invalid-csr` */
export function readCsr(csr: string) {
  const der = decodeBase64(csr);
  if (der === undefined) throw new VouchsafeError("invalid-csr", "The CSR is not base64 of DER");
  return parseCsr(der);
}

export function newSerial(): string {
  return Buffer.from(serialFrom(randomBytes(16))).toString("hex");
}

/** The certificate with those between it and the root, base64 DER. */
export function chainOf({ chain }: Pick<SigningAuthority, "chain">, svid: Uint8Array): string[] {
  return [svid, ...chain].map(encodeBase64);
}

export function x509Bundle({ authority }: Vouchsafe) {
  return { x509Authorities: authority.bundle().x509Authorities.map(({ der }) => encodeBase64(der)) };
}

function subjectOf({ selectors, components, absent = {} }: AttestedSubject) {
  const parsed = Object.entries(components).map(
    ([name, digests]) => [name, [...new Set(digests.map(parseDigest))]] as const,
  );
  const read: Components = new Map(parsed);
  if (digestsOf(read).length > MAX_DIGESTS) {
    throw new VouchsafeError("invalid-request", `More than ${MAX_DIGESTS} digests were attested`);
  }
  return { selectors, components: read, absent: new Map(Object.entries(absent).flatMap(absenceOf)) };
}

/** A reason that this server does not know, of a newer agent, is none: the component is missing. */
function absenceOf([name, code]: [string, string]): (readonly [string, Absence])[] {
  const known = ABSENCES.find((absence) => absence === code);
  return known === undefined ? [] : [[name, known]];
}

function refuseAudience({ spec }: WorkloadPolicy, audiences: readonly string[]): DenialReason | undefined {
  const other = audiences.find((audience) => spec.audiences?.every((glob) => !glob.matches(audience)));
  if (other === undefined) return undefined;
  return {
    code: "audience-not-allowed",
    message: `The workload policy does not allow the audience ${other}`,
  };
}

function refuseOthers(id: SpiffeId, wanted: string | undefined): DenialReason | undefined {
  return wanted === undefined || wanted === id ? undefined : notRegistered(wanted);
}

function described({ workload, spiffeId, expiresAt, receipt }: Grant): {
  workload: string;
  spiffeId: SpiffeId;
  expiresAt: string;
  receipt: Receipt;
} {
  return { workload: workload.name, spiffeId, expiresAt: new Date(expiresAt).toISOString(), receipt };
}

import assert from "node:assert/strict";
import type { CertificateAuthority } from "../../src/trust/authority.ts";
import { type FoundTimestamp, readTimestamp } from "../../src/verify/rfc3161.ts";
import { checkNow, holding } from "../../src/verify/signature-check.ts";
import { SignedBytes } from "../../src/verify/signed.ts";
import { CA, FOR_TIMESTAMPS, type Holder, issueCertificate } from "./issued-certificates.ts";
import { type TimestampChanges, timestampAuthority, timestampResponse } from "./timestamps.ts";

export const STAMPED = Buffer.from("a signature");

/** When `stamp` stamps. */
export const NOON = Date.UTC(2024, 1, 29, 12);

export const root = issueCertificate({ name: "root", extensions: [CA] });
export const tsa = newTsa();

/** The TSA's own certificate is trusted, or only who issued it. */
export const trusted = [timestampAuthority([tsa.certificate, root.certificate])];
export const issuing = [timestampAuthority([root.certificate])];

/** A TSA of the same name, issuer and, by default, serial number as every other. */
export function newTsa(serial = 7): Holder {
  return issueCertificate({ name: "tsa", issuer: root, serial, extensions: [FOR_TIMESTAMPS] });
}

export function stamp(changes: TimestampChanges = {}, signer = tsa): Buffer {
  return timestampResponse(signer, STAMPED, changes);
}

/** Undefined where a signature does not hold. */
export function verifyTimestamp(
  response: Uint8Array,
  authorities: readonly CertificateAuthority[] = trusted,
): Omit<FoundTimestamp, "response"> | undefined {
  const claims = readTimestamp(response, new SignedBytes(STAMPED), authorities);
  const [first] = checkNow(holding([claims]))[0];
  if (first === undefined) return undefined;
  const { response: _, ...found } = first;
  return found;
}

export function refuses(read: () => unknown): void {
  assert.throws(read, { name: "VouchsafeError", code: "time-unverified" });
}

import type { JsonValue } from "../in-toto-attestation/index.ts";
import { pemBlocks } from "../x509/pem.ts";
import { type AuthorityUse, type CertificateAuthority, parseAuthorities } from "./authority.ts";
import { arrayAt, invalid, objectAt, rangeBetween, stringAt, thresholdAt } from "./members.ts";
import type { KeyThresholds } from "./trusted-key.ts";

/** A certificate authority of one's own, as a trust document writes it. Times are RFC 3339, inclusive. */
export interface X509Root {
  readonly name: string;
  /** PEM: the certificates that issue (or sign timestamps), and those above them up to their roots, in any order. */
  readonly certificates: string;
  readonly validFrom?: string;
  readonly validUntil?: string;
  /** What its certificates may sign. */
  readonly uses: readonly AuthorityUse[];
  /** Evidence of log and time that signatures under it must come with. Default: one time. */
  readonly thresholds?: Partial<KeyThresholds>;
}

/** An `X509Root` that is ready to verify with. */
export interface PreparedX509Root {
  readonly name: string;
  readonly authorities: readonly CertificateAuthority[];
  readonly uses: ReadonlySet<AuthorityUse>;
  readonly thresholds: KeyThresholds;
}

const USES: readonly AuthorityUse[] = ["attestations", "timestamps"];

/** Throws `VouchsafeError` (`invalid-trust`). */
export function parseX509Root(value: JsonValue, where: string): PreparedX509Root {
  const root = objectAt(value, where, [
    "name",
    "certificates",
    "validFrom",
    "validUntil",
    "uses",
    "thresholds",
  ]);
  const uses = parseUses(root.uses, `${where}.uses`);
  const at = `${where}.certificates`;
  const range = rangeBetween(root.validFrom, root.validUntil, where);
  const asked = objectAt(root.thresholds ?? {}, `${where}.thresholds`, ["logEntries", "timestamps"]);
  const certificates = certificatesOf(stringAt(root.certificates, at), at);
  // For both uses they must be fit for each: one that signs timestamps itself, for example, issues nothing.
  const [authorities = []] = USES.filter((use) => uses.has(use)).map((use) =>
    parseAuthorities(certificates, use, range, at),
  );
  return {
    name: stringAt(root.name, `${where}.name`),
    authorities,
    uses,
    thresholds: {
      logEntries: thresholdAt(asked.logEntries, `${where}.thresholds.logEntries`, 0),
      // A certificate is believed at a time, and only an authority that is believed can say which.
      timestamps: thresholdAt(asked.timestamps, `${where}.thresholds.timestamps`, 1),
    },
  };
}

function parseUses(value: JsonValue | undefined, where: string): ReadonlySet<AuthorityUse> {
  const uses = arrayAt(value, where, USES.length).map((item) => {
    const use = USES.find((one) => one === item);
    if (use === undefined) throw invalid(`${where} names none of ${USES.join(", ")}`);
    return use;
  });
  const set = new Set(uses);
  if (uses.length === 0 || set.size < uses.length) throw invalid(`${where} is empty or names one twice`);
  return set;
}

function certificatesOf(pem: string, where: string): Uint8Array[] {
  const blocks = pemBlocks(pem);
  if (blocks === undefined) throw invalid(`${where} is not PEM`);
  // A private key that came along must not be kept, let alone published to auditors.
  if (blocks.some(({ label }) => label !== "CERTIFICATE")) {
    throw invalid(`${where} holds something besides certificates`);
  }
  return blocks.map(({ bytes }) => bytes);
}

import { X509Certificate } from "node:crypto";
import type { CertificateAuthority } from "../../trust/authority.ts";
import type { LogAuthority } from "../../trust/sigstore-instance.ts";
import type { TrustSnapshot } from "../../trust/snapshot.ts";
import { ALWAYS, type TimeRange } from "../../trust/time-range.ts";

/** When something may be believed: RFC 3339, inclusive; null for no bound. */
interface Validity {
  readonly from: string | null;
  readonly until: string | null;
}

/** `name` is the subject of the certificate that issues, or that signs timestamps. */
type AuthoritySummary = { readonly name: string } & Validity;
type LogSummary = { readonly name: string | null; readonly logId: string } & Validity;
type Thresholds = Readonly<Record<string, number>>;

/** Whose signatures a snapshot believes, and until when. */
export interface TrustSummary {
  readonly sigstore: readonly {
    readonly name: string;
    readonly certificateAuthorities: readonly AuthoritySummary[];
    readonly timestampAuthorities: readonly AuthoritySummary[];
    readonly logs: readonly LogSummary[];
    readonly ctLogs: readonly LogSummary[];
    readonly thresholds: Thresholds;
    /** Where newer trusted roots come from; null where operators alone change it. */
    readonly repository: string | null;
  }[];
  readonly x509: readonly {
    readonly name: string;
    readonly authorities: readonly AuthoritySummary[];
    readonly uses: readonly string[];
    readonly thresholds: Thresholds;
  }[];
  readonly keys: readonly ({
    readonly name: string;
    readonly keyId: string;
    /** The only predicate types that it counts for; null for any. */
    readonly predicateTypes: readonly string[] | null;
    readonly thresholds: Thresholds;
  } & Validity)[];
}

export function summarizeTrust({ instances, keys, x509 }: TrustSnapshot): TrustSummary {
  return {
    sigstore: instances.map((instance) => ({
      name: instance.name,
      certificateAuthorities: instance.certificateAuthorities.map(summarizeAuthority),
      timestampAuthorities: instance.timestampAuthorities.map(summarizeAuthority),
      logs: instance.logs.map(summarizeLog),
      ctLogs: instance.ctLogs.map(summarizeLog),
      thresholds: { ...instance.thresholds },
      repository: instance.tuf?.repository ?? null,
    })),
    x509: x509.map(({ name, authorities, uses, thresholds }) => ({
      name,
      authorities: authorities.map(summarizeAuthority),
      uses: [...uses],
      thresholds: { ...thresholds },
    })),
    keys: keys.map(({ name, keyId, validFor, predicateTypes, thresholds }) => ({
      name,
      keyId,
      ...validity(validFor),
      predicateTypes: predicateTypes === undefined ? null : [...predicateTypes],
      thresholds: { ...thresholds },
    })),
  };
}

function summarizeAuthority({ chain: [first] }: CertificateAuthority): AuthoritySummary {
  const subject = first === undefined ? "" : new X509Certificate(first.certificate.der).subject;
  return {
    // One line: node writes each attribute on one of its own.
    name: (subject ?? "").split("\n").join(", "),
    ...validity(first?.validFor ?? ALWAYS),
  };
}

function summarizeLog({ origin, logId, validFor }: LogAuthority): LogSummary {
  return { name: origin ?? null, logId, ...validity(validFor) };
}

function validity({ start, end }: TimeRange): Validity {
  return {
    from: start === ALWAYS.start ? null : new Date(start).toISOString(),
    until: end === ALWAYS.end ? null : new Date(end).toISOString(),
  };
}

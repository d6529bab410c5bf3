import { isJsonObject, type JsonValue } from "../in-toto-attestation/index.ts";
import { listIn, textIn } from "./body-fields.ts";
import type { LogEvent } from "./events.ts";

/** An SVID as it says of itself, to be found in a custody file. */
export interface SoughtSvid {
  readonly kind: "x509" | "jwt";
  readonly spiffeId: string;
  readonly serial: string | null;
  readonly keyHash: string | null;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly grounds: {
    readonly digests: readonly string[];
    readonly policies: readonly string[];
    readonly verdicts: readonly number[];
    readonly index?: number;
  } | null;
}

/** A verdict that the SVID rests on, as the file tells of it. */
export interface FoundVerdict {
  readonly index: number;
  readonly policy: string;
  readonly passed: boolean;
}

export interface FoundSvid {
  /** The event that recorded it; null where the file has none. */
  readonly event: { readonly index: number; readonly workload: string; readonly requester: string } | null;
  /** What that event says otherwise than the SVID, in words. Empty where it is the very one. */
  readonly differences: readonly string[];
  /** Those of its verdicts that the file has: others are about other artifacts of its. */
  readonly verdicts: readonly FoundVerdict[];
  /** The event that revoked it, if one did before the file's end. */
  readonly revoked: { readonly index: number; readonly reasons: readonly string[] } | null;
}

/** Looks for an SVID among a custody file's events, which are believed: `verify-pack.ts` verifies them. */
export function createSvidSearch(svid: SoughtSvid) {
  let event: LogEvent | undefined;
  let revoked: FoundSvid["revoked"] = null;
  const verdicts: FoundVerdict[] = [];
  return {
    add(one: LogEvent): void {
      const { type, index, body } = one;
      if (type === "identity.issued" || type === "identity.renewed") {
        const isNamed = index === svid.grounds?.index;
        if (isNamed || (body.serial === svid.serial && body.kind === svid.kind)) event = one;
      }
      if (type === "identity.revoked" && listIn(body, "identities").some((other) => isOf(other, svid))) {
        revoked = { index, reasons: listIn(body, "reasons").map(String) };
      }
      if (
        (type === "verdict.passed" || type === "verdict.failed") &&
        svid.grounds?.verdicts.includes(index)
      ) {
        verdicts.push({ index, policy: textIn(body, "policy"), passed: type === "verdict.passed" });
      }
    },
    found(): FoundSvid {
      if (event === undefined) return { event: null, differences: [], verdicts, revoked };
      const { index, body } = event;
      return {
        event: { index, workload: textIn(body, "workload"), requester: textIn(body, "requester") },
        differences: differencesOf(svid, event),
        verdicts,
        revoked,
      };
    },
  };
}

function isOf(identity: JsonValue, { kind, serial }: SoughtSvid): boolean {
  return isJsonObject(identity) && identity.kind === kind && identity.serial === serial;
}

function differencesOf(
  { kind, spiffeId, serial, keyHash, expiresAt, grounds }: SoughtSvid,
  { index, body }: LogEvent,
) {
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  const compared: [what: string, isSame: boolean][] = [
    ["kind", body.kind === kind],
    ["serial number", body.serial === serial],
    ["SPIFFE ID", body.spiffeId === spiffeId],
    ["key", body.keyHash === keyHash],
    ["end", Date.parse(textIn(body, "expiresAt")) === expiresAt],
    ["list of digests", same(body.digests, grounds?.digests)],
    ["list of policies", same(body.policies, grounds?.policies)],
    ["list of verdicts", same(body.verdicts, grounds?.verdicts)],
    ["log index", grounds?.index === undefined || grounds.index === index],
  ];
  return compared.flatMap(([what, isSame]) => (isSame ? [] : [`another ${what}`]));
}

import type { FoundSvid } from "../custody/find-svid.ts";
import type { InspectedSvid } from "../identity/inspect-svid.ts";
import type { Terminal } from "./output/terminal.ts";

/** One thing that an SVID was held to. */
export interface SvidCheck {
  readonly check: "bundle" | "custody" | "identity" | "revocation";
  readonly status: "holds" | "fails";
  readonly statement: string;
}

const UNITS = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1000, "second"],
] as const;

/** What an SVID says of itself, in words. */
export function tellSvid(terminal: Terminal, svid: InspectedSvid, now: number): void {
  const { kind, spiffeId, serial, notBefore, expiresAt, key, keyHash, intermediates, issuer, audiences } =
    svid;
  const { grounds } = svid;
  terminal.print(`${kind === "x509" ? "X.509-SVID" : "JWT-SVID"} ${spiffeId}`);
  const rows: [name: string, value: string | null][] = [
    [kind === "x509" ? "serial" : "jti", serial],
    ["issuer", issuer],
    ["audiences", audiences.length === 0 ? null : audiences.join(" ")],
    ["from", notBefore === null ? null : timeText(notBefore)],
    ["until", `${timeText(expiresAt)} (${leftText(expiresAt - now)})`],
    ["key", keyHash === null ? key : `${key} ${keyHash}`],
    [
      "came with",
      intermediates === 0
        ? null
        : counted(intermediates, "intermediate authority", "intermediate authorities"),
    ],
    ...(grounds?.digests ?? []).map((digest): [string, string] => ["granted for", digest]),
    [
      "passed",
      grounds === null ? null : grounds.policies.join(" ") || "no policy: exceptions let it through",
    ],
    ["verdicts", grounds === null ? null : grounds.verdicts.join(" ")],
    ["log index", grounds?.index === undefined ? null : `${grounds.index}`],
  ];
  for (const [name, value] of rows) if (value !== null) terminal.print(`  ${name.padEnd(12)}${value}`);
  if (grounds === null) terminal.print("  It says of no artifact that it was granted for it.");
}

/** What the custody file tells of it, in words. */
export function tellFound(terminal: Terminal, { event, verdicts }: FoundSvid): void {
  if (event === null) return;
  terminal.print(`  granted     under the workload policy ${event.workload} to ${event.requester}`);
  for (const { index, policy, passed } of verdicts) {
    terminal.print(`  verdict     ${index}: ${passed ? "passed" : "failed"} ${policy}`);
  }
}

export function timeText(time: number): string {
  return new Date(time).toISOString().replace(".000Z", "Z");
}

function leftText(left: number): string {
  const [size, unit] = UNITS.find(([milliseconds]) => Math.abs(left) >= milliseconds) ?? [1000, "second"];
  const count = counted(Math.floor(Math.abs(left) / size), unit, `${unit}s`);
  return left >= 0 ? `${count} left` : `expired ${count} ago`;
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

import type { QuarantineTarget } from "../../client/quarantines.ts";
import type { Falls, RevocationTarget } from "../../client/revocation-types.ts";
import { quarantineText } from "../../custody/quarantine-target.ts";
import { targetText } from "../../custody/revocation-target.ts";
import { printTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";
import { time } from "./time.ts";

/** What is revoked, in words. */
export function revokedText(target: RevocationTarget): string {
  return targetText(target as Parameters<typeof targetText>[0]);
}

/** What is quarantined, in words: an artifact by its digest alone, which says what it is. */
export function quarantinedText(target: QuarantineTarget): string {
  if ("artifact" in target) return target.artifact;
  return quarantineText(target as Parameters<typeof quarantineText>[0]);
}

/** First how much falls, then who is hit soonest: workloads, what they hold and until when, and the artifacts. */
export function tellFalls(terminal: Terminal, falls: Falls, falling: "falls" | "would fall"): void {
  const { totals, artifacts, identities, workloads, gains, complete } = falls;
  const atLeast = complete ? "" : "at least ";
  const counts = [
    counted(totals.artifacts, "artifact", "artifacts"),
    counted(totals.identities, "live identity", "live identities"),
    counted(totals.workloads, "workload", "workloads"),
  ].join(", ");
  const isHit = totals.artifacts + totals.identities > 0;
  terminal.print(`${falling}: ${atLeast}${counts}`, isHit ? "bad" : "good");
  tellTable(
    terminal,
    ["WORKLOAD", "SPIFFE ID", "HELD BY", "RUNS"],
    workloads.map(({ workload, spiffeId, requester, digests }) => [
      workload,
      spiffeId,
      requester,
      digests.join(" "),
    ]),
    totals.workloads,
  );
  tellTable(
    terminal,
    ["VALID UNTIL", "KIND", "SPIFFE ID", "SERIAL"],
    identities
      .toSorted((a, b) => (a.expiresAt < b.expiresAt ? 1 : -1))
      .map(({ expiresAt, kind, spiffeId, serial }) => [time(expiresAt), kind, spiffeId, serial]),
    totals.identities,
  );
  tellTable(
    terminal,
    ["ARTIFACT", "PASSES NO LONGER"],
    artifacts.map(({ digest, policies }) => [digest, policies.join(" ")]),
    totals.artifacts,
  );
  if (totals.gains > 0)
    terminal.print(
      `beware: ${counted(totals.gains, "artifact", "artifacts")} that this evidence was against`,
      "bad",
    );
  tellTable(
    terminal,
    ["ARTIFACT", "PASSES FROM NOW ON"],
    gains.map(({ digest, policies }) => [digest, policies.join(" ")]),
    totals.gains,
  );
  if (!complete) terminal.note("there was no time to judge every artifact: more can fall than is told here");
}

function tellTable(
  terminal: Terminal,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  total: number,
): void {
  printTable(terminal, head, rows, { indent: "  " });
  if (total > rows.length) terminal.print(`  and ${total - rows.length} more`);
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

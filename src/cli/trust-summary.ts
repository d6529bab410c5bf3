import type { ActiveTrust, TrustedAuthority, TrustSource, Validity } from "../client/trust-types.ts";
import type { Terminal } from "./output/terminal.ts";

const DAY = 24 * 3_600_000;

/**
 * Prints who is believed, and for how long still.
 *
 * @param now milliseconds since the epoch
 */
export function printTrust({ trust, summary, sources }: ActiveTrust, terminal: Terminal, now: number): void {
  terminal.print(`trust ${trust ?? "(none is active: no evidence verifies)"}`);
  const authorities = (kind: string, list: readonly TrustedAuthority[]) => {
    for (const one of list) terminal.print(`  ${kind} ${one.name ?? one.logId} ${validityOf(one, now)}`);
  };
  for (const instance of summary?.sigstore ?? []) {
    terminal.print(`sigstore ${instance.name}: asks for ${thresholdsOf(instance.thresholds)}`);
    authorities("certificates by", instance.certificateAuthorities);
    authorities("timestamps by", instance.timestampAuthorities);
    authorities("log", instance.logs);
    authorities("certificate log", instance.ctLogs);
    if (instance.repository === null) continue;
    terminal.print(`  updates from ${instance.repository}`);
    const source = sources.find(({ name }) => name === instance.name);
    if (source !== undefined) printSource(source, terminal, now);
  }
  for (const root of summary?.x509 ?? []) {
    terminal.print(
      `x509 ${root.name} for ${root.uses.join(", ")}: asks for ${thresholdsOf(root.thresholds)}`,
    );
    authorities("certificates by", root.authorities);
  }
  for (const key of summary?.keys ?? []) {
    const types = key.predicateTypes === null ? "" : ` for ${key.predicateTypes.join(", ")}`;
    terminal.print(`key ${key.name} (${key.keyId})${types}: asks for ${thresholdsOf(key.thresholds)}`);
    terminal.print(`  ${validityOf(key, now)}`);
  }
}

/** What a TUF repository answered. */
export function printSource(source: TrustSource, terminal: Terminal, now: number): void {
  const { from, expires, problem, refreshedAt } = source;
  if (from === null) terminal.print("  not refreshed: what is active stays", "bad");
  else {
    const left = expires === null ? "" : `, metadata ${ending(expires, now)}`;
    terminal.print(
      `  refreshed ${refreshedAt} from the ${from}${left}`,
      from === "network" ? "good" : "plain",
    );
  }
  if (problem !== null) terminal.print(`  ${problem}`);
}

function thresholdsOf(thresholds: Readonly<Record<string, number>>): string {
  const asked = Object.entries(thresholds).filter(([, count]) => count > 0);
  return asked.map(([name, count]) => `${name} ≥ ${count}`).join(", ") || "nothing besides the signature";
}

function validityOf({ from, until }: Validity, now: number): string {
  const since = from === null ? "" : `from ${from.slice(0, 10)} `;
  return until === null ? `${since}until further notice` : `${since}${ending(until, now)}`;
}

function ending(until: string, now: number): string {
  const left = Math.floor((Date.parse(until) - now) / DAY);
  const day = until.slice(0, 10);
  return left < 0 ? `ended on ${day}` : `until ${day} (${left} days left)`;
}

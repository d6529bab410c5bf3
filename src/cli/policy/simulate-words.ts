import type {
  DeniedWorkload,
  Flips,
  RuleGives,
  SimulatedAccess,
  SimulatedPolicy,
  Simulation,
} from "../../client/simulation-types.ts";
import type { Terminal } from "../output/terminal.ts";

export function tellSimulation(terminal: Terminal, simulation: Simulation): void {
  const { asOf, policySet, active, policies, access, workloads } = simulation;
  terminal.print(`as of log size ${asOf.size}, ${asOf.time}`);
  terminal.print(`${policySet} in the place of ${active ?? "none"}`);
  for (const policy of policies) tellPolicy(terminal, policy);
  for (const edit of access) tellAccess(terminal, edit);
  const { running, denied, deniedAlready } = workloads;
  const already = deniedAlready > 0 ? `, ${deniedAlready} of which the active policies deny as well` : "";
  terminal.print(
    `denies ${denied} of ${counted(running, "running workload")}${already}`,
    denied > 0 ? "bad" : "good",
  );
  for (const workload of workloads.workloads) tellWorkload(terminal, workload);
  tellMore(terminal, denied - workloads.workloads.length);
}

function tellPolicy(terminal: Terminal, policy: SimulatedPolicy): void {
  const { name, change, denied, allowed, passedBefore, passedAfter } = policy;
  if (change === "unchanged") {
    terminal.print(`unchanged ${name}`);
    return;
  }
  const now = change === "added" ? "" : `, ${passedBefore} by the active one`;
  terminal.print(`${change} ${name}: ${counted(passedAfter, "artifact")} would pass${now}`);
  tellFlips(terminal, "denies", denied);
  tellFlips(terminal, "allows", allowed);
}

function tellAccess(terminal: Terminal, { name, change, callers, rules }: SimulatedAccess): void {
  if (change === "unchanged") {
    terminal.print(`unchanged access ${name}`);
    return;
  }
  terminal.print(`${change} access ${name}: ${callers.after ?? callers.before}`);
  if (change === "changed" && callers.before !== callers.after) terminal.print(`  and not ${callers.before}`);
  for (const { change, who, gives } of rules) {
    const asked = who.map(({ of, patterns }) => `${of} ${patterns.join(" | ")}`).join(", ");
    terminal.print(`  ${change} rule: ${asked}`);
    if (change === "moved")
      terminal.print(`    is rule ${gives.after?.number}, and was ${gives.before?.number}`);
    else if (gives.after === null) terminal.print(`    gave ${given(gives.before)}`);
    else
      terminal.print(
        `    gives ${given(gives.after)}${gives.before === null ? "" : `, and gave ${given(gives.before)}`}`,
      );
  }
}

function given(gives: RuleGives | null): string {
  if (gives === null) return "nothing";
  const { roles, policies, mayChoosePolicy } = gives;
  const judged = policies.length > 0 ? ` by ${policies.join(", ")}` : "";
  return `${roles.join(", ")}${judged}${mayChoosePolicy ? ", and chooses policies" : ""}`;
}

function tellFlips(terminal: Terminal, verb: "denies" | "allows", { count, first, checks }: Flips): void {
  if (count === 0) return;
  terminal.print(`  ${verb} ${counted(count, "artifact")} more`, verb === "denies" ? "bad" : "good");
  for (const [i, digest] of first.entries()) {
    terminal.print(`    ${digest}`);
    if (i > 0) continue;
    for (const { check, expected, actual } of checks) {
      terminal.print(`      ${check}: expected ${expected}; found ${actual}`);
    }
  }
  tellMore(terminal, count - first.length);
}

function tellWorkload(
  terminal: Terminal,
  { spiffeId, requester, digests, reasons, active }: DeniedWorkload,
): void {
  terminal.print(`  ${spiffeId} of ${requester}${active === "deny" ? " (denied now)" : ""}`);
  for (const digest of digests) terminal.print(`    runs ${digest}`);
  for (const { code, message } of reasons) terminal.print(`    ${message} (${code})`);
}

function tellMore(terminal: Terminal, more: number): void {
  if (more > 0) terminal.print(`    and ${more} more`);
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? "" : "s"}`;
}

import type { Config } from "../../config/config.ts";
import { activePolicies, activeTrust } from "../../db/activations.ts";
import type { Database } from "../../db/connection.ts";
import { listProjects } from "../../db/projects.ts";
import { believed } from "../../identity/authority-history.ts";
import { lintPolicies } from "../../policy/lint.ts";
import { diagnosticLine } from "../../yaml/diagnostics.ts";
import { summarizeTrust, type TrustSummary } from "../activation/trust-summary.ts";
import { createDocuments } from "../documents.ts";
import { readAuthorityHistory } from "../identities/authorities.ts";
import { bad, type Finding, ok, warning } from "./finding.ts";

const DAY = 24 * 3_600_000;
/** How long before something ends it is told of, in milliseconds. */
const SOON = 30 * DAY;

/** Policies and trust of every project, and the authorities. */
export async function lookAtStanding(
  config: Config,
  database: Database,
  now: number,
): Promise<readonly Finding[]> {
  const documents = createDocuments(database);
  const findings: Finding[] = [];
  let policies = 0;
  for (const { id, name } of await listProjects(database.kysely)) {
    const [set, trust] = await Promise.all([
      activePolicies(database.kysely, id),
      activeTrust(database.kysely, id),
    ]);
    const loaded = set && (await documents.policies(id, set.document));
    policies += loaded?.policies.size ?? 0;
    if (loaded === undefined || loaded.policies.size === 0)
      findings.push(
        warning(
          "policies",
          `the project ${name} has no policies: everything is denied there`,
          "vouchsafe policy activate",
        ),
      );
    const [worst, ...others] =
      loaded === undefined ? [] : lintPolicies(loaded).filter(({ level }) => level !== "info");
    if (worst !== undefined) {
      const more = others.length === 0 ? "" : ` (and ${others.length} more)`;
      findings.push(
        warning("policies", `project ${name}: ${diagnosticLine(worst)}${more}`, "vouchsafe policy lint"),
      );
    }
    if (trust === undefined)
      findings.push(warning("trust", `the project ${name} believes nobody`, "vouchsafe trust import"));
    else findings.push(...ends(name, summarizeTrust(await documents.trust(id, trust.trust)), now));
  }
  return [
    ok("policies", `${policies} policies load`),
    ...findings,
    ...(await authorities(config, database, now)),
  ];
}

/** What of a project's trust ends soon, or has: of instances, that none of its authorities is left. */
export function ends(project: string, { sigstore, x509, keys }: TrustSummary, now: number): Finding[] {
  const advice = "vouchsafe trust refresh, or trust import";
  const isOver = (until: string | null, at: number) => until !== null && Date.parse(until) < at;
  const endOf = (what: string, untils: readonly (string | null)[]): Finding[] => {
    if (untils.length === 0 || untils.some((until) => !isOver(until, now + SOON))) return [];
    const isPast = untils.every((until) => isOver(until, now));
    const last = untils.map(String).toSorted().at(-1);
    return [warning("trust", `project ${project}: ${what} ${isPast ? "ended" : "ends"} ${last}`, advice)];
  };
  return [
    ...sigstore.flatMap(({ name, certificateAuthorities, logs }) => [
      ...endOf(
        `the last certificate authority of ${name}`,
        certificateAuthorities.map(({ until }) => until),
      ),
      ...endOf(
        `the last log of ${name}`,
        logs.map(({ until }) => until),
      ),
    ]),
    ...x509.flatMap(({ name, authorities }) =>
      endOf(
        `the last authority of ${name}`,
        authorities.map(({ until }) => until),
      ),
    ),
    ...keys.flatMap(({ name, until }) => endOf(`the key ${name}`, [until])),
  ];
}

async function authorities({ trustDomain }: Config, database: Database, now: number): Promise<Finding[]> {
  const { history } = await readAuthorityHistory({ database });
  const ends = believed(history).map(({ root }) => root.notAfter);
  const last = Math.max(...ends);
  if (ends.length === 0)
    return [warning("authorities", `no authority signs identities of ${trustDomain} yet`)];
  const until = new Date(last).toISOString();
  if (last < now)
    return [
      bad(
        "authorities",
        `the last authority of ${trustDomain} ended ${until}: no identity is granted`,
        "Restart a node, or give it another (docs/operations.md).",
      ),
    ];
  if (last < now + SOON / 3)
    return [
      warning(
        "authorities",
        `the last authority of ${trustDomain} ends ${until}`,
        "One that is made here should have been rotated by now; of one that was given, give the next.",
      ),
    ];
  return [ok("authorities", `identities of ${trustDomain} can be signed until ${until}`)];
}

import { lookup } from "node:dns/promises";
import type { Config } from "../../config/config.ts";
import { activeTrust } from "../../db/activations.ts";
import type { Database } from "../../db/connection.ts";
import { projectByName } from "../../db/projects.ts";
import { DEFAULT_PROJECT } from "../../identity/project-name.ts";
import { summarizeTrust } from "../activation/trust-summary.ts";
import { createDocuments } from "../documents.ts";
import { bad, type Finding, ok, warning } from "./finding.ts";

const PATIENCE = 5_000;

/** Where newer trust comes from, of the installation's own project, and the other servers that are configured. */
export async function lookAtNetwork(
  config: Config,
  database: Database | undefined,
): Promise<readonly Finding[]> {
  const urls = new Set(config.rekorUrl === undefined ? [] : [config.rekorUrl]);
  if (config.tuf === "auto" && database !== undefined)
    for (const url of await repositories(database)) urls.add(url);
  return Promise.all([...urls].map(reach));
}

async function repositories(database: Database): Promise<string[]> {
  // Of no other: what tenants name is a stranger's word.
  const project = await projectByName(database.kysely, DEFAULT_PROJECT);
  const trust = project && (await activeTrust(database.kysely, project.id));
  if (project === undefined || trust === undefined) return [];
  const { sigstore } = summarizeTrust(await createDocuments(database).trust(project.id, trust.trust));
  return sigstore.flatMap(({ repository }) => repository ?? []);
}

async function reach(url: string): Promise<Finding> {
  const { hostname, origin } = new URL(url);
  const advice =
    "Newer trust and lookups come from there: allow it, or set VOUCHSAFE_TUF=off and leave VOUCHSAFE_REKOR_URL out.";
  const found = await lookup(hostname).catch(() => undefined);
  if (found === undefined) return warning("network", `the name ${hostname} does not resolve`, advice);
  const answer = await fetch(url, {
    method: "HEAD",
    redirect: "manual",
    signal: AbortSignal.timeout(PATIENCE),
  }).catch(() => undefined);
  return answer === undefined
    ? warning("network", `${origin} does not answer`, advice)
    : ok("network", `${origin} answers`);
}

/** A server by its URL. `undefined` for `isExpected`: nobody said that there is one. */
export async function lookAtServer(
  url: string,
  isExpected: boolean,
  clock: () => number,
): Promise<readonly Finding[]> {
  const get = (path: string) =>
    fetch(new URL(path, url), { redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
  const before = clock();
  const health = await get("/healthz").catch(() => undefined);
  if (health?.ok !== true) {
    const what =
      health === undefined ? `no server answers at ${url}` : `the server at ${url} answers ${health.status}`;
    return [
      isExpected || health !== undefined
        ? bad("server", what, "Start it, or name another with --server.")
        : warning("server", what, "Start it, or name another with --server."),
    ];
  }
  const date = Date.parse(health.headers.get("date") ?? "");
  const skew = Math.round(Math.abs(date - (before + clock()) / 2) / 1000);
  const ready = await get("/readyz").catch(() => undefined);
  return [
    ok("server", `the server at ${url} answers`),
    // The header has whole seconds.
    !(skew > 6)
      ? ok("clock", "this machine's clock and the server's agree")
      : bad(
          "clock",
          `this machine's clock and the server's differ by ${skew} seconds`,
          "Have both set by NTP.",
        ),
    ready?.ok === true
      ? ok("server", "it follows the log and may decide")
      : bad(
          "server",
          `it denies everything: /readyz answers ${ready?.status ?? "nothing"}`,
          "Look for the cause in its log, and at the database.",
        ),
  ];
}

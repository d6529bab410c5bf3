import { PROJECT_CHAIN } from "../../custody/events.ts";
import { activePolicies } from "../../db/activations.ts";
import { readChain, readHead } from "../../db/log.ts";
import { type ErrorCode, VouchsafeError } from "../../errors.ts";
import { loadPolicySet, type PolicyFile } from "../../policy/load.ts";
import { noPolicyIn } from "../../policy/no-policy.ts";
import { withShippedBuilders } from "../../policy-files.ts";
import { diagnosticLine, diagnosticsOf } from "../../yaml/diagnostics.ts";
import type { Vouchsafe } from "../context.ts";
import { activatePolicies } from "./activate-policies.ts";
import { likenessOf, readSettledPolicyFiles } from "./policy-directory.ts";
import { CONFIGURATION } from "./propose.ts";

/** What came of reading the policy directory again. */
export interface PolicyReload {
  /** RFC 3339. */
  readonly at: string;
  /**
   * `activated`: what it holds is in force now · `active`: it was already, e.g. because another node was first ·
   * `unchanged`: it holds what this node read before · `superseded`: another node put it in force meanwhile, and another
   * set took its place · `refused`: what was in force before stays in force, see `problem`
   */
  readonly outcome: "activated" | "active" | "unchanged" | "superseded" | "refused";
  readonly problem: { readonly code: ErrorCode; readonly message: string } | null;
}

/**
 * Reads the policy directory again and, where it changed, puts it in force by compare-and-swap on the policy set that was
 * active before it was read. What does not load leaves everything as it was, and an operator is told.
 *
 * Each node does so for its own directory, and several may get the same edit at different times. So a set that another
 * node's directory put in force since this node last looked is not activated again: the others are ahead of this node.
 *
 * @param read gives what is in the directory
 */
export function reloadPolicies(
  v: Vouchsafe,
  read: () => Promise<PolicyFile[]> = () => readSettledPolicyFiles(v.config.policiesDir),
): Promise<PolicyReload> {
  const directory = v.policyDirectory;
  const reloading = directory.turn.then(async () => {
    const reload = await reloadOnce(v, read);
    directory.lastReload = reload;
    return reload;
  });
  directory.turn = reloading;
  return reloading;
}

async function reloadOnce(v: Vouchsafe, read: () => Promise<PolicyFile[]>): Promise<PolicyReload> {
  const at = new Date(v.clock()).toISOString();
  try {
    const outcome = await activateWhatChanged(v, read);
    v.logger.info(`${v.config.policiesDir} was read again: ${OUTCOMES[outcome]}`);
    return { at, outcome, problem: null };
  } catch (error) {
    const code = error instanceof VouchsafeError ? error.code : "internal";
    const message = error instanceof Error ? error.message : String(error);
    const places = error instanceof VouchsafeError ? diagnosticsOf(error.extensions).map(diagnosticLine) : [];
    v.logger.error(
      { code, problems: places.length > 0 ? places : [message] },
      `${v.config.policiesDir} was read again and is not taken: what was in force stays in force`,
    );
    return { at, outcome: "refused", problem: { code, message } };
  }
}

const OUTCOMES = {
  activated: "its policies are in force now",
  active: "its policies are in force already",
  unchanged: "it has not changed",
  superseded:
    "its policies were in force meanwhile and others have taken their place: `vouchsafe policy activate` puts them in force again",
} as const;

async function activateWhatChanged(
  v: Vouchsafe,
  read: () => Promise<PolicyFile[]>,
): Promise<keyof typeof OUTCOMES> {
  const { kysely } = v.database;
  const { project, policyDirectory: directory } = v;
  // Before the directory: of what is activated after this, its files know nothing.
  const { size: asOf } = await readHead(kysely);
  const previous = (await activePolicies(kysely, project))?.policySet ?? null;
  const files = await read();
  if (JSON.stringify(files) === JSON.stringify(directory.read.files)) return "unchanged";
  const documents = await withShippedBuilders(files);
  const set = loadPolicySet(documents);
  const { hash } = set;
  const mistake = noPolicyIn(set, v.config.policiesDir);
  if (mistake !== undefined) throw new VouchsafeError("invalid-policy", mistake);
  const wasActive = previous !== hash && (await wasActivated(v, hash, directory.read.asOf));
  const receipt = wasActive
    ? null
    : (await activatePolicies(v, { project, token: CONFIGURATION }, { documents, previous })).receipt;
  directory.read = { files, asOf };
  if (wasActive) return "superseded";
  return receipt === null ? "active" : "activated";
}

/** Whether this policy set was put in force by the directory of a node from log index `from` on. */
async function wasActivated(
  { database, project }: Vouchsafe,
  policySet: string,
  from: number,
): Promise<boolean> {
  const events = await readChain(database.kysely, project, PROJECT_CHAIN, { from });
  return events.some(
    ({ type, body }) =>
      type === "policy.activated" && body.policySet === policySet && body.caller === CONFIGURATION,
  );
}

/**
 * Reloads the policies whenever the directory has changed and come to rest. It is looked at and not listened to: what
 * the kernel tells of a directory misses links that are swapped, network file systems, and a directory that is replaced.
 *
 * @returns what looks once; what two looks in a row find is taken
 */
export function createPolicyWatch(v: Vouchsafe): () => Promise<void> {
  let seen = JSON.stringify(v.policyDirectory.read.files);
  let tried = seen;
  return async () => {
    const found = await likenessOf(v.config.policiesDir);
    const isAtRest = found === seen;
    seen = found;
    if (!isAtRest || found === tried) return;
    const { problem } = await reloadPolicies(v);
    // While the database is away it is tried again.
    if (problem?.code !== "unavailable") tried = found;
  };
}

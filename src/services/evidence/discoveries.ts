import { readFile } from "node:fs/promises";
import type { Config } from "../../config/config.ts";
import { type Credential, dockerCredentials } from "../../discovery/credentials.ts";
import { type Discovered, discover } from "../../discovery/discover.ts";
import { parseReference } from "../../discovery/reference.ts";
import { VouchsafeError } from "../../errors.ts";
import { createFairShares } from "../../fair-shares.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import { createSizedCache } from "../sized-cache.ts";

/** What one node asks others' registries for its callers: only where it may, not too often, and not twice in a minute. */
export interface Discoveries {
  /**
   * Runs a caller's search in its project's turn.
   *
   * @throws VouchsafeError `rate-limited` while the project has enough under way, `unavailable` while the node has
   */
  inTurn<T>(project: string, run: () => Promise<T>): Promise<T>;
  /**
   * What is found of the digest where the reference says, for a project; `isOwn`: with the installation's credentials; `time`
   * that it may take, in milliseconds.
   *
   * @throws VouchsafeError `invalid-request` for what is no reference, `outbound-refused` for a host that is not allowed
   */
  find(
    digest: Digest,
    reference: string,
    options: { readonly project: string; readonly isOwn: boolean; readonly time?: number },
  ): Promise<Discovered>;
}

/** Searches under way: of a project, and those of all are fewer than that. */
const OF_A_PROJECT = 4;
const OF_ALL = 16;
/** How long what was found is given again, in milliseconds: a pipeline may ask for each of its jobs. */
const KEPT_FOR = 60_000;
const KEPT = { entries: 256, bytes: 64 * 1024 * 1024 };

/** Throws `VouchsafeError` (`configuration-invalid`). */
export async function openDiscoveries(
  config: Pick<Config, "outbound" | "discoveryHosts" | "discoveryCredentials">,
  { clock }: { readonly clock: () => number },
): Promise<Discoveries> {
  const { outbound: rules, discoveryHosts, discoveryCredentials } = config;
  const allowed = new Set(discoveryHosts);
  const credentials = await readCredentials(discoveryCredentials);
  const kept = createSizedCache<string, { readonly discovered: Discovered; readonly until: number }>(KEPT);
  const shares = createFairShares({ alone: OF_ALL / 2, each: OF_A_PROJECT });

  return {
    async inTurn(project, run) {
      const end = shares.take(project, "searches");
      if (end === "holder-full")
        throw new VouchsafeError("rate-limited", `At most ${OF_A_PROJECT} searches of a project run at once`);
      if (end === "full")
        throw new VouchsafeError("unavailable", "This node searches for others; try again in a moment");
      return run().finally(end);
    },
    async find(digest, text, { project, isOwn, time }) {
      const reference = parseReference(text);
      if (!allowed.has(reference.host)) {
        const message = `${reference.host} is not one of the hosts that this server looks at (VOUCHSAFE_DISCOVERY_HOSTS)`;
        throw new VouchsafeError("outbound-refused", message);
      }
      // Each project's by itself: how quickly it is answered would tell who else asked.
      const key = JSON.stringify([project, digest, reference]);
      const known = kept.get(key);
      if (known !== undefined && known.until > clock()) return known.discovered;
      const discovered = await discover(digest, reference, {
        rules,
        credentials: async (host) => (isOwn ? credentials.get(host) : undefined),
        ...(time !== undefined && { time }),
      });
      const bytes = discovered.found.reduce((sum, { bytes }) => sum + bytes.length, 0);
      if (discovered.trouble === undefined) kept.set(key, { discovered, until: clock() + KEPT_FOR }, bytes);
      return discovered;
    },
  };
}

async function readCredentials(file: string | undefined): Promise<ReadonlyMap<string, Credential>> {
  if (file === undefined) return new Map();
  try {
    return dockerCredentials(await readFile(file));
  } catch (cause) {
    if (cause instanceof VouchsafeError) throw cause;
    const message = `VOUCHSAFE_DISCOVERY_CREDENTIALS: ${file} cannot be read`;
    throw new VouchsafeError("configuration-invalid", message, { cause });
  }
}

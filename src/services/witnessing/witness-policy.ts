import { readFile } from "node:fs/promises";
import type { Config } from "../../config/config.ts";
import type { LogSigners } from "../../custody/log-signers.ts";
import { VouchsafeError } from "../../errors.ts";
import { parseWitnessPolicy, type WitnessPolicy } from "../../tlog/witness-policy.ts";

/**
 * The witness policy that the node is configured with; undefined: none.
 *
 * @throws VouchsafeError `configuration-invalid` for a file that is no policy, or one that is no use to this log
 */
export async function readWitnessPolicy({
  witnessesFile: path,
}: Pick<Config, "witnessesFile">): Promise<WitnessPolicy | undefined> {
  if (path === undefined) return undefined;
  try {
    const policy = parseWitnessPolicy(await readFile(path));
    if (policy.quorum === undefined)
      throw new RangeError("its quorum is none: without witnesses leave it out");
    for (const { name, url } of policy.witnesses) {
      if (!isPrefix(url)) throw new RangeError(`witness ${name} needs an http:// or https:// URL`);
    }
    return policy;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new VouchsafeError("configuration-invalid", `VOUCHSAFE_WITNESSES (${path}) does not load: ${why}`, {
      cause,
    });
  }
}

/** @throws VouchsafeError `configuration-invalid` for a policy that names logs, and none of this log's keys */
export function requirePolicyFor(
  { logs }: WitnessPolicy,
  { verifiers }: Pick<LogSigners, "verifiers">,
): void {
  const isOurs = verifiers.some((ours) =>
    logs.some(({ name, keyId }) => name === ours.name && keyId === ours.keyId),
  );
  if (logs.length === 0 || isOurs) return;
  throw new VouchsafeError(
    "configuration-invalid",
    "VOUCHSAFE_WITNESSES is for other logs: its log lines name none of this log's keys",
  );
}

function isPrefix(url: string | undefined): boolean {
  const parsed = URL.parse(url ?? "");
  return (
    parsed !== null &&
    /^https?:$/.test(parsed.protocol) &&
    parsed.search + parsed.hash + parsed.username + parsed.password === ""
  );
}

import type { Digest } from "../../in-toto-attestation/types.ts";
import type { AskPolicy } from "./ask-policies.ts";

/**
 * The values of the selectors that hold for what runs: `policy:NAME` for each policy that lets all of these digests through,
 * and where there is one, `digest:ALGORITHM:HEX` for each digest, and `slsa:N` for each level up to the one that all of
 * them have. Of what no policy lets through nothing is said.
 */
export async function selectorsFor(
  digests: readonly Digest[],
  policies: readonly string[],
  ask: AskPolicy,
): Promise<string[]> {
  if (digests.length === 0) return [];
  const levels = new Map<string, number>();
  await Promise.all(
    policies.map(async (policy) => {
      const answers = await Promise.all(digests.map((digest) => ask(digest, policy)));
      const allowed = answers.filter((answer) => answer !== undefined);
      if (allowed.length < digests.length) return;
      levels.set(policy, Math.min(...allowed.map(({ slsaLevel }) => slsaLevel)));
    }),
  );
  if (levels.size === 0) return [];
  const level = Math.max(...levels.values());
  return [
    ...policies.filter((policy) => levels.has(policy)).map((policy) => `policy:${policy}`),
    ...digests.map((digest) => `digest:${digest}`),
    ...Array.from({ length: level }, (_, below) => `slsa:${below + 1}`),
  ];
}

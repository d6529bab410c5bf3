import { readFile } from "node:fs/promises";
import { readHead } from "../../db/log.ts";
import { hasCode, VouchsafeError } from "../../errors.ts";
import { loadPolicySet } from "../../policy/load.ts";
import { noPolicyIn } from "../../policy/no-policy.ts";
import { withShippedBuilders } from "../../policy-files.ts";
import { embeddedPublicGood } from "../../trust/embedded.ts";
import { addToTrust, readTrustFile } from "../../trust/files.ts";
import { createTrust, parseTrust, type TrustDocument } from "../../trust/snapshot.ts";
import type { Vouchsafe } from "../context.ts";
import { activatePolicies, readPolicies } from "./activate-policies.ts";
import { activateTrust, readTrust } from "./activate-trust.ts";
import { readPolicyFiles } from "./policy-directory.ts";

/** What events name as the caller when a node acts by its configuration. */
export const CONFIGURATION = "configuration";

/**
 * Activates the configured policies and trust in a project that has none. Where the log already says what is
 * active nothing changes: a restart never re-activates, and a file that was edited before it is activated by an operator.
 *
 * @returns sentences about configuration that differs from what is active, or passes nothing
 */
export async function proposeConfigured(v: Vouchsafe): Promise<string[]> {
  const caller = { project: v.project, token: CONFIGURATION };
  const warnings: string[] = [];

  const trust = await readTrust(v, caller);
  const document = await configuredTrust(v);
  if (trust.trust === null) await firstOfMany(() => activateTrust(v, caller, { document, previous: null }));
  else if (isTrustConfigured(v) && createTrust(document).hash !== trust.trust) {
    warnings.push(
      "The configured trust differs from the active one: `vouchsafe trust activate` puts it in force.",
    );
  }

  const { size: asOf } = await readHead(v.database.kysely);
  const policies = await readPolicies(v, caller);
  const files = await readPolicyFiles(v.config.policiesDir);
  v.policyDirectory.read = { files, asOf };
  const documents = await withShippedBuilders(files);
  if (policies.policySet === null) {
    await firstOfMany(() => activatePolicies(v, caller, { documents, previous: null }));
    const mistake = noPolicyIn(loadPolicySet(documents), v.config.policiesDir);
    if (mistake !== undefined) warnings.push(`${mistake}.`);
  } else if (JSON.stringify(documents) !== JSON.stringify(policies.documents)) {
    warnings.push(
      `The policies in ${v.config.policiesDir} differ from the active ones: \`vouchsafe policy activate\` puts them in force.`,
    );
  }
  return warnings;
}

function isTrustConfigured({ config }: Vouchsafe): boolean {
  return config.trustFile !== undefined || config.trustedRoots.length + config.keys.length > 0;
}

async function configuredTrust({ config }: Vouchsafe): Promise<TrustDocument> {
  if (config.trustFile !== undefined) {
    const bytes = await readFile(config.trustFile).catch((cause: unknown) => {
      throw new VouchsafeError("configuration-invalid", `${config.trustFile} cannot be read`, { cause });
    });
    return parseTrust(bytes).document;
  }
  const files = await Promise.all(
    [...config.trustedRoots, ...config.keys].map((path) => readTrustFile(path)),
  );
  const instances = files.flatMap(({ sigstore }) => sigstore);
  const nothing: TrustDocument = {
    sigstore: instances.length > 0 ? [] : [embeddedPublicGood()],
    keys: [],
  };
  return addToTrust(nothing, files);
}

/** Of several nodes that start at once the first activates; what it chose is what the others then follow. */
async function firstOfMany(activate: () => Promise<unknown>): Promise<void> {
  try {
    await activate();
  } catch (error) {
    if (!hasCode(error, "conflict")) throw error;
  }
}

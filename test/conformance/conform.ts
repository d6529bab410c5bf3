import { parseArgs } from "node:util";
import { EXIT, type ExitCode } from "../../src/cli/exit-codes.ts";
import type { Terminal } from "../../src/cli/output/terminal.ts";
import { reportError } from "../../src/cli/report-error.ts";
import { UsageError } from "../../src/cli/usage-error.ts";
import { verifyOffline } from "../../src/cli/verify/offline.ts";
import { tellVerdict } from "../../src/cli/verify/words.ts";

const OPTIONS = {
  bundle: { type: "string" },
  "certificate-identity": { type: "string" },
  "certificate-oidc-issuer": { type: "string" },
  key: { type: "string" },
  "trusted-root": { type: "string" },
} as const;

/**
 * `verify-bundle` of Sigstore's conformance suite (sigstore/sigstore-conformance docs/cli_protocol.md): `vouchsafe
 * verify` by the suite's names. Whatever is not zero is a rejection.
 *
 * @param at now, in milliseconds since the epoch
 */
export async function conform(args: readonly string[], terminal: Terminal, at: number): Promise<ExitCode> {
  try {
    const { artifact, options } = readArguments(args);
    const verdict = await verifyOffline(artifact, options, at);
    tellVerdict(verdict, terminal, false);
    return verdict.verified ? EXIT.ok : EXIT.refused;
  } catch (error) {
    return reportError(error, terminal, false);
  }
}

function readArguments(args: readonly string[]) {
  const { positionals, values } = parsed(args);
  const [command, artifact, ...others] = positionals;
  const { bundle, key, ...given } = values;
  if (command !== "verify-bundle" || artifact === undefined || bundle === undefined || others.length > 0) {
    throw new UsageError(
      "Call: verify-bundle --bundle FILE (--certificate-identity SAN --certificate-oidc-issuer URL | --key FILE) [--trusted-root FILE] FILE_OR_DIGEST",
    );
  }
  const {
    "certificate-identity": certificateIdentity,
    "certificate-oidc-issuer": certificateOidcIssuer,
    "trusted-root": trustedRoot,
  } = given;
  return {
    artifact,
    options: {
      bundle: [bundle],
      ...(certificateIdentity !== undefined && { certificateIdentity }),
      ...(certificateOidcIssuer !== undefined && { certificateOidcIssuer }),
      ...(key !== undefined && { key: [key] }),
      ...(trustedRoot !== undefined && { trustedRoot: [trustedRoot] }),
    },
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

import { compileGlob, GlobError } from "../policy/glob.ts";
import type { Demands } from "../verify/checklist.ts";
import type { ExpectedSigner, NamePattern } from "../verify/expected-signer.ts";
import { UsageError } from "./usage-error.ts";

/** What the command line asks of evidence, besides a policy. */
export interface DemandOptions {
  readonly certificateIdentity?: string;
  readonly certificateIdentityGlob?: string;
  readonly certificateOidcIssuer?: string;
  readonly anySigner?: boolean;
  readonly policy?: readonly string[];
  readonly predicateType?: readonly string[];
  readonly verifierId?: string;
  readonly resourceUri?: string;
  readonly verifiedLevel?: readonly string[];
}

/**
 * Says what is asked. That somebody signed means nothing: who it may be must be said, by an identity, a key or a
 * policy, or that it may be anybody.
 *
 * @param keys names of the keys that the command line gives
 * @throws UsageError
 */
export function readDemands(options: DemandOptions, keys: readonly string[]): Demands {
  const { predicateType = [], policy = [], anySigner = false } = options;
  const signers: ExpectedSigner[] = [
    ...certificateSigner(options),
    ...keys.map((name) => ({ case: "key", name }) as const),
  ];
  if (anySigner && (signers.length > 0 || policy.length > 0)) {
    throw new UsageError("--any-signer contradicts an identity, a key or a policy beside it");
  }
  if (!anySigner && signers.length === 0 && policy.length === 0) {
    throw new UsageError(
      "Say who may have signed: --certificate-identity with --certificate-oidc-issuer, --key, or --policy. " +
        "--any-signer takes whoever it was, and tells.",
    );
  }
  return {
    ...(signers.length > 0 && { signers }),
    ...(predicateType.length > 0 && { predicateTypes: predicateType }),
    ...summaryDemands(options),
  };
}

function certificateSigner({
  certificateIdentity: exact,
  certificateIdentityGlob: glob,
  certificateOidcIssuer: issuer,
}: DemandOptions): ExpectedSigner[] {
  if (exact === undefined && glob === undefined && issuer === undefined) return [];
  if (exact !== undefined && glob !== undefined) {
    throw new UsageError("Give --certificate-identity or --certificate-identity-glob, and not both");
  }
  if (issuer === undefined) {
    throw new UsageError(
      "An identity is one only under its issuer: add --certificate-oidc-issuer, such as https://accounts.google.com",
    );
  }
  if (exact !== undefined) return [{ case: "certificate", issuer, identity: exactly(exact) }];
  if (glob !== undefined) return [{ case: "certificate", issuer, identity: globbed(glob) }];
  throw new UsageError(
    "An issuer vouches for many: add --certificate-identity, or --certificate-identity-glob",
  );
}

function exactly(text: string): NamePattern {
  return { text, matches: (name) => name === text };
}

function globbed(text: string): NamePattern {
  try {
    return compileGlob(text);
  } catch (cause) {
    if (!(cause instanceof GlobError)) throw cause;
    throw new UsageError(`--certificate-identity-glob: ${cause.message}`, { cause });
  }
}

function summaryDemands({ verifierId, resourceUri, verifiedLevel }: DemandOptions): Pick<Demands, "summary"> {
  if (verifierId === undefined && resourceUri === undefined && verifiedLevel === undefined) return {};
  if (verifierId === undefined || resourceUri === undefined) {
    throw new UsageError(
      "A verification summary is held to --verifier-id and --resource-uri: what is good as one thing may not be as another",
    );
  }
  return { summary: { verifierId, resourceUri, verifiedLevels: verifiedLevel ?? [] } };
}

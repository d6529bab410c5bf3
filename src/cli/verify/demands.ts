import type { Demands } from "../../verify/checklist.ts";
import type { ExpectedSigner } from "../../verify/expected-signer.ts";
import { UsageError } from "../usage-error.ts";
import { predicateTypesOf } from "./predicate-types.ts";
import { certificateSigner, type SignerOptions } from "./signers.ts";

/** What the command line asks of evidence, besides what it asks of provenance or by a policy. */
export interface DemandOptions extends SignerOptions {
  readonly anySigner?: boolean;
  readonly policy?: readonly string[];
  readonly sourceUri?: string;
  readonly predicateType?: readonly string[];
  readonly verifierId?: string;
  readonly resourceUri?: string;
  readonly verifiedLevel?: readonly string[];
}

/**
 * Says what is asked. That somebody signed means nothing: who it may be must be said, by an identity, a key, a policy or
 * the source that a known builder built, or that it may be anybody.
 *
 * @param keys names of the keys that the command line gives
 * @throws UsageError
 */
export function readDemands(options: DemandOptions, keys: readonly string[]): Demands {
  const { policy = [], anySigner = false, sourceUri } = options;
  const certificate = certificateSigner(options);
  const signers: ExpectedSigner[] = [
    ...(certificate ? [certificate] : []),
    ...keys.map((name) => ({ case: "key", name }) as const),
  ];
  const isJudged = policy.length > 0 || sourceUri !== undefined;
  if (anySigner && (signers.length > 0 || isJudged)) {
    throw new UsageError("--any-signer contradicts an identity, a key, a source or a policy beside it");
  }
  if (!anySigner && signers.length === 0 && !isJudged) {
    throw new UsageError(
      "Say who may have signed: --certificate-identity with --certificate-oidc-issuer, --repo, --source-uri, --key, " +
        "or --policy. --any-signer takes whoever it was, and tells.",
    );
  }
  const predicateTypes = typesOf(options);
  return {
    ...(signers.length > 0 && { signers }),
    ...(predicateTypes && { predicateTypes }),
    ...summaryDemands(options),
  };
}

/** As with `gh attestation verify`: of a repository's or an owner's workflows provenance counts, unless another type is named. */
function typesOf({ predicateType, repo, owner }: DemandOptions): readonly string[] | undefined {
  if (predicateType !== undefined) return predicateType.flatMap(predicateTypesOf);
  return repo === undefined && owner === undefined ? undefined : ["https://slsa.dev/provenance/v1"];
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

import {
  type Discovered,
  type DiscoveryOptions,
  discover,
  resolveReference,
} from "../../discovery/discover.ts";
import { looksLikeReference, parseReference, type Reference } from "../../discovery/reference.ts";
import { subjectNameOf } from "../../discovery/subject-name.ts";
import { VouchsafeError } from "../../errors.ts";
import { algorithmOf, type Digest } from "../../in-toto-attestation/index.ts";
import { readOutboundRules } from "../../outbound/rules.ts";
import { artifactOfArgument, type NamedArtifact } from "../arguments/artifact.ts";
import { UsageError } from "../usage-error.ts";
import { userCredentials } from "./registry-credentials.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** An artifact as named on the command line, and where to look for evidence about it. */
export interface Sought {
  /** Under which digest each source is asked: npm by sha512, all others by sha256. */
  readonly sources: readonly {
    readonly text: string;
    readonly reference: Reference;
    readonly digest: Digest;
  }[];
  readonly artifact: NamedArtifact;
}

/**
 * Reads an argument that is a digest, a file, or a reference (`oci://…`, `npm:…`, `pypi:…`), which is asked what it is now.
 *
 * @throws UsageError for an argument that is nothing of these; VouchsafeError as `resolveReference` does
 */
export async function seek(argument: string, from: readonly string[], env: Environment): Promise<Sought> {
  const isReference = looksLikeReference(argument);
  const artifact = isReference ? await published(argument, env) : await artifactOfArgument(argument);
  const { digests } = artifact;
  const texts = [...new Set(isReference ? [argument, ...from] : from)];
  if (texts.length === 0)
    throw new UsageError(
      "Say where to look: --from oci://…, npm:NAME@VERSION, pypi:… or github:OWNER/REPOSITORY",
    );
  const sources = texts.flatMap((text) => {
    const reference = readReference(text);
    const wanted = reference.case === "npm" ? "sha512" : "sha256";
    const digest = digests.find((one) => algorithmOf(one) === wanted) ?? digests[0];
    return digest === undefined ? [] : [{ text, reference, digest }];
  });
  if (sources.length === 0) throw new UsageError(`${argument} has no digest to look for`);
  return { sources, artifact };
}

/** What one source has, asked from this machine with the user's own credentials. */
export async function discoverHere(
  { digest, reference }: Sought["sources"][number],
  env: Environment,
): Promise<Discovered> {
  return discover(digest, reference, optionsFor(reference, env));
}

async function published(text: string, env: Environment): Promise<NamedArtifact> {
  const reference = readReference(text);
  const name = subjectNameOf(reference);
  const digest = await resolveReference(reference, optionsFor(reference, env));
  return { digests: [digest], reference: text, ...(name && { name }) };
}

/** Whom the user names may be inside of the network; where that one leads may not, unless VOUCHSAFE_OUTBOUND_PRIVATE names it. */
function optionsFor({ host }: Reference, env: Environment): DiscoveryOptions {
  const named = (env.VOUCHSAFE_OUTBOUND_PRIVATE ?? "").split(",").filter((entry) => entry !== "");
  const { refused } = readOutboundRules(named);
  if (refused.length > 0)
    throw new UsageError(
      "VOUCHSAFE_OUTBOUND_PRIVATE names hosts without scheme and port, addresses or CIDR blocks",
    );
  const hostname = new URL(`https://${host}`).hostname.replace(/^\[|\]$/g, "");
  return { rules: readOutboundRules([...named, hostname]).rules, credentials: userCredentials(env) };
}

function readReference(text: string): Reference {
  try {
    return parseReference(text);
  } catch (cause) {
    if (cause instanceof VouchsafeError) throw new UsageError(cause.message, { cause });
    throw cause;
  }
}

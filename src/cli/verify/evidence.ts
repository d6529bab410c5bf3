import { looksLikeReference } from "../../discovery/reference.ts";
import { VouchsafeError } from "../../errors.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import type { Containment } from "../../policy/question.ts";
import { artifactOfArgument, type NamedArtifact } from "../arguments/artifact.ts";
import { readBytes } from "../arguments/files.ts";
import type { Sought } from "../evidence/discover-evidence.ts";
import type { Terminal } from "../output/terminal.ts";
import { UsageError } from "../usage-error.ts";
import { heldBy, holdersOf, readManifests } from "./manifests.ts";

/** Where the artifact and its evidence are: files, or registries that are asked from here. */
export interface EvidenceOptions {
  /** Files of evidence. */
  readonly bundle?: readonly string[];
  /** References of where to look besides: `github:acme/widget`, as `vouchsafe discover` takes them. */
  readonly from?: readonly string[];
  /** Files of image indexes and manifests: evidence about what holds the artifact counts for it too. */
  readonly manifest?: readonly string[];
}

/** What is to be verified, and on what. Nothing of it is believed yet. */
export interface Gathered {
  readonly artifact: NamedArtifact;
  /** In the order of the options; `file` is a path, or where it was found. */
  readonly evidence: readonly { readonly file: string; readonly bytes: Uint8Array }[];
  readonly manifests: readonly Containment[];
  /** What holds the artifact. */
  readonly holders: ReadonlySet<Digest>;
}

/** What is told of looking, which may take a while. */
export type Looking = Pick<Terminal, "note" | "progress">;

/**
 * Reads the files, and asks where it is told to look. With `--bundle` a reference says which artifact is meant, and
 * nothing else is asked.
 *
 * @throws UsageError; VouchsafeError `outbound-failed` and the like where nothing could be had of any source
 */
export async function gather(
  argument: string,
  options: EvidenceOptions,
  looking: Looking,
): Promise<Gathered> {
  const { bundle = [], from = [] } = options;
  const isReference = looksLikeReference(argument);
  if (bundle.length === 0 && from.length === 0 && !isReference) {
    throw new UsageError(
      "Give the evidence with --bundle FILE, or say where to look: --from github:OWNER/REPO, or oci://…, npm:…, pypi:… for the artifact",
    );
  }
  const files = await Promise.all(bundle.map(async (file) => ({ file, bytes: await readBytes(file) })));
  const found = isReference || from.length > 0 ? await look(argument, options, looking) : undefined;
  const artifact = found?.artifact ?? (await artifactOfArgument(argument, looking.progress));
  const manifests = [...(await readManifests(options.manifest ?? [])), ...(found?.manifests ?? [])];
  return {
    artifact,
    evidence: [...files, ...(found?.evidence ?? [])],
    manifests,
    holders: holdersOf(artifact.digests, manifests),
  };
}

async function look(
  argument: string,
  { bundle = [], from = [] }: EvidenceOptions,
  looking: Looking,
): Promise<Omit<Gathered, "holders">> {
  // Loaded here alone: most verifications ask nobody.
  const { discoverHere, seek } = await import("../evidence/discover-evidence.ts");
  const sought = await seek(argument, from, process.env);
  const evidence: { file: string; bytes: Uint8Array }[] = [];
  const manifests: Containment[] = [];
  for (const source of asked(sought, argument, bundle)) {
    looking.progress(`looking at ${source.text}`);
    const { found, trouble } = await discoverHere(source, process.env);
    for (const { case: kind, bytes, from } of found) {
      if (kind === "evidence") evidence.push({ file: from, bytes });
      else manifests.push(...heldBy(from, bytes));
    }
    if (trouble === undefined) continue;
    if (found.length === 0 && bundle.length === 0) throw trouble;
    looking.note(`${source.text}: ${trouble.message} (${trouble.code}); there may be more`, "bad");
  }
  if (evidence.length + bundle.length === 0) {
    const places = sought.sources.map(({ text }) => text).join(", ");
    throw new VouchsafeError("not-found", `There is no evidence about ${argument} at ${places}`);
  }
  return { artifact: sought.artifact, evidence, manifests };
}

/** Beside --bundle the artifact's own reference only says what it is. */
function asked({ sources }: Sought, argument: string, bundle: readonly string[]): Sought["sources"] {
  return bundle.length === 0 ? sources : sources.filter(({ text }) => text !== argument);
}

import { readFile, stat } from "node:fs/promises";
import { VouchsafeError } from "../../errors.ts";
import { sha256 } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import type { VerificationPolicy } from "../../policy/policy.ts";
import type { Containment } from "../../policy/question.ts";
import type { Evaluation } from "../../policy/types.ts";
import type { TrustSnapshot } from "../../trust/snapshot.ts";
import {
  type Artifact,
  type Demands,
  type Examination,
  goThrough,
  unreadable,
} from "../../verify/checklist.ts";
import type { NamedArtifact } from "../arguments/artifact.ts";
import { readPolicyFiles, requirePolicy } from "../arguments/files.ts";
import { readTrust, type TrustOptions } from "../arguments/trust.ts";
import { documentsOf } from "../evidence/evidence-documents.ts";
import { joinWith, type PartsElsewhere } from "../evidence/joined-evidence.ts";
import { UsageError } from "../usage-error.ts";
import { type DemandOptions, readDemands } from "./demands.ts";
import { type EvidenceOptions, gather, type Looking } from "./evidence.ts";
import { PROVENANCE_POLICY, type ProvenanceOptions, provenancePolicy } from "./provenance.ts";

export interface VerifyOptions
  extends TrustOptions,
    DemandOptions,
    ProvenanceOptions,
    EvidenceOptions,
    Omit<PartsElsewhere, "rekorUrl"> {
  /** Of the policies in the files, the one to evaluate. */
  readonly policyName?: string;
}

/** One piece of evidence, and how far it came. */
export interface ExaminedPiece extends Examination {
  readonly file: string;
  /** Its place in a file of several, from 1. */
  readonly item?: number;
  readonly id: Digest;
  /** Whether it is about an artifact that holds the one in question. */
  readonly isAboutHolder: boolean;
}

export interface PolicyVerdict {
  readonly policy: VerificationPolicy;
  readonly artifact: Digest;
  readonly evaluation: Evaluation;
}

export interface Verdict {
  readonly verified: boolean;
  readonly artifact: NamedArtifact;
  readonly trust: TrustSnapshot;
  readonly demands: Demands;
  /** The piece that the verdict rests on; when there is none, the one that came farthest. */
  readonly deciding: ExaminedPiece;
  readonly others: readonly ExaminedPiece[];
  /** Undefined where none was asked for, or no piece came as far. */
  readonly policy?: PolicyVerdict;
  readonly asksPolicy: boolean;
}

/** What a signature over a file itself makes us read into memory. */
const MAX_MESSAGE_BYTES = 256 * 1024 * 1024;

/**
 * Verifies an artifact's evidence by files alone, and by what the registries have that the options name: no server. One
 * piece of evidence that passes everything that is asked is enough, whatever stands beside it; a policy judges all that do.
 *
 * @param at now, in milliseconds since the epoch
 * @throws UsageError for the command line and the files of trust and policy; what is wrong with evidence is a verdict
 */
export async function verifyOffline(
  argument: string,
  options: VerifyOptions,
  at: number,
  looking: Looking = { note() {}, progress() {} },
): Promise<Verdict> {
  const { trust, keys } = await readTrust(options);
  const demands = readDemands(options, keys);
  const policy = (await readProvenancePolicy(options, demands, keys)) ?? (await readPolicy(options));
  const join = await joinWith(options);
  const { artifact, evidence, manifests, holders } = await gather(argument, options, looking);
  const asked = { ...artifact, digests: [...artifact.digests, ...holders] };
  if (policy !== undefined && artifact.alias !== undefined) {
    throw new UsageError(`A policy judges a file or a digest, and ${artifact.alias} is neither`);
  }

  const pieces: ExaminedPiece[] = [];
  for (const { file, bytes } of evidence) {
    for (const piece of documentsOf(await join(file, bytes))) {
      const examine = (given: Artifact) => goThrough(piece.bytes, trust, given, demands, at);
      const examination = piece.refusal
        ? unreadable(piece.refusal)
        : await examineWith(asked, piece.bytes, examine);
      const isAboutHolder = [...holders].some((holder) => holder === examination.subject);
      pieces.push({
        file,
        ...(piece.item && { item: piece.item }),
        id: sha256(piece.bytes),
        isAboutHolder,
        ...examination,
      });
    }
  }
  const passed = pieces.filter(({ passed }) => passed);
  const judged =
    policy && passed.length > 0 ? await judge(policy, artifact, { pieces, manifests }, at) : undefined;
  const isGood = policy === undefined || judged?.evaluation.outcome === "passed";
  const deciding = decidingOf(pieces, judged);
  return {
    verified: passed.length > 0 && isGood,
    artifact,
    trust,
    demands,
    deciding,
    others: pieces.filter((piece) => piece !== deciding),
    ...(judged && { policy: judged }),
    asksPolicy: policy !== undefined,
  };
}

/**
 * By the artifact's digests alone, as they are had of a file of any size. Some signatures are over the bytes: plain Ed25519's,
 * those by another hash than the bundle names, and those of bundles that name none.
 */
async function examineWith(
  { path, ...artifact }: NamedArtifact,
  bytes: Uint8Array,
  examine: (artifact: Artifact) => Examination,
): Promise<Examination> {
  const examination = examine(artifact);
  const { refusal, signature } = examination;
  const mayNeedBytes = refusal !== undefined && signature === undefined && signsMessage(bytes);
  if (!mayNeedBytes || path === undefined || (await stat(path)).size > MAX_MESSAGE_BYTES) return examination;
  return examine({ ...artifact, message: await readFile(path) });
}

function signsMessage(bytes: Uint8Array): boolean {
  const document = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return document.includes('"messageSignature"') || document.includes('"base64Signature"');
}

async function readPolicy({
  policy = [],
  policyName,
}: VerifyOptions): Promise<VerificationPolicy | undefined> {
  if (policy.length === 0) {
    if (policyName === undefined) return undefined;
    throw new UsageError("--policy-name chooses among the policies in --policy FILE: name the file too");
  }
  // Loaded here alone: YAML and CEL are large, and most verifications would wait for them in vain.
  const { loadPolicySet } = await import("../../policy/load.ts");
  const set = loading(loadPolicySet, await readPolicyFiles(policy));
  requirePolicy(set, policy);
  const { policies } = set;
  const names = [...policies.keys()];
  const chosen = policyName ?? (names.length === 1 ? names[0] : undefined);
  const found = chosen === undefined ? undefined : policies.get(chosen);
  if (found !== undefined) return found;
  throw new UsageError(`--policy-name chooses one of ${names.join(", ")}`);
}

/** What options ask of provenance, as a policy. */
async function readProvenancePolicy(
  options: VerifyOptions,
  { signers }: Demands,
  keys: readonly string[],
): Promise<VerificationPolicy | undefined> {
  const file = provenancePolicy(options, signers !== undefined, keys);
  if (file === undefined) return undefined;
  if (options.policy !== undefined) {
    throw new UsageError(
      "A policy says itself which source and builder it takes: leave out --source-uri or --policy",
    );
  }
  const [{ loadPolicySet }, { withShippedBuilders }] = await Promise.all([
    import("../../policy/load.ts"),
    import("../../policy-files.ts"),
  ]);
  return loading(loadPolicySet, await withShippedBuilders([file])).policies.get(PROVENANCE_POLICY);
}

/** What is wrong with a policy is a mistake in a file that the command line names. */
function loading<Files, Loaded>(load: (files: Files) => Loaded, files: Files): Loaded {
  try {
    return load(files);
  } catch (cause) {
    if (!(cause instanceof VouchsafeError)) throw cause;
    throw new UsageError(`${cause.message}; \`vouchsafe policy lint\` shows where`, { cause });
  }
}

/** Under whichever of the artifact's digests the evidence names passes, as a question about that digest would. */
async function judge(
  policy: VerificationPolicy,
  { digests }: NamedArtifact,
  { pieces, manifests }: { pieces: readonly ExaminedPiece[]; manifests: readonly Containment[] },
  at: number,
): Promise<PolicyVerdict | undefined> {
  const { evaluate } = await import("../../policy/evaluate.ts");
  const { questionAmong } = await import("../../policy/question.ts");
  const evidence = pieces.flatMap((piece) => (isHeard(piece) ? (piece.attestation ?? []) : []));
  const named = digests.filter((digest) =>
    pieces.some(({ passed, subject, isAboutHolder }) => passed && (subject === digest || isAboutHolder)),
  );
  const verdicts = named.map((artifact) => ({
    policy,
    artifact,
    evaluation: evaluate(policy, questionAmong([policy], artifact, evidence, manifests), at),
  }));
  return verdicts.find(({ evaluation }) => evaluation.outcome === "passed") ?? verdicts[0];
}

/** Whether a policy hears it: it holds, be it about the artifact or about another, such as the commit that was built. */
function isHeard({ passed, refusal }: ExaminedPiece): boolean {
  return passed || refusal?.code === "subject-mismatch";
}

/** What a piece that is not about the artifact is about, where the verdict rests on it all the same. */
export function supportOf({ policy }: Verdict, piece: ExaminedPiece): string | undefined {
  const isUsed = !piece.passed && policy?.evaluation.attestations.includes(piece.id);
  return isUsed ? piece.attestation?.subjects[0]?.digests.join(", ") : undefined;
}

function decidingOf(pieces: readonly ExaminedPiece[], judged: PolicyVerdict | undefined): ExaminedPiece {
  const [first, ...rest] = pieces;
  if (first === undefined) throw new UsageError("The files of --bundle hold no evidence");
  const restsOn = pieces.find(({ passed, id }) => passed && judged?.evaluation.attestations.includes(id));
  return restsOn ?? rest.reduce((best, piece) => (reach(piece) > reach(best) ? piece : best), first);
}

/** How many steps it came past. */
function reach({ steps }: Examination): number {
  return steps.filter(({ outcome }) => outcome === "passed" || outcome === "not-needed").length;
}

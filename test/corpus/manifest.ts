import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One case of a corpus, as MANIFEST.json describes it in its `notes`. */
export interface Case {
  readonly id: string;
  readonly format: string;
  readonly expected: "verified" | "rejected";
  readonly ambiguous?: string;
  readonly files: {
    readonly bundle: string;
    readonly artifact?: string;
    readonly trustedRoot?: string;
    readonly key?: string;
    readonly keySet?: string;
    /** PEM of a certificate authority of one's own. */
    readonly ca?: string;
    readonly privateKey?: string;
    /** The blob of an OCI layer. */
    readonly envelope?: string;
    /** Further keys, by names that `extra.keysByKeyid` refers to. */
    readonly [key: `key:${string}`]: string;
  };
  /** Algorithm → hex, all of one artifact. */
  readonly artifactDigest?: Readonly<Record<string, string>>;
  readonly policy?: CasePolicy;
  readonly requirements?: {
    readonly tlogEntries: number;
    readonly scts: number;
    readonly observerTimestamps: number;
  };
  readonly extra?: {
    readonly payload?: string;
    /** What signatures call their key → the member of `files` that holds it. */
    readonly keysByKeyid?: Readonly<Record<string, `key:${string}`>>;
  };
}

/** What the case demands of signer and provenance; builders and sources as slsa-verifier takes them. */
export interface CasePolicy {
  readonly issuer?: string;
  readonly san?: string;
  readonly sanRegex?: string;
  readonly predicateType?: string;
  readonly sourceUri?: string;
  readonly sourceBranch?: string;
  readonly sourceTag?: string;
  readonly sourceVersionedTag?: string;
  readonly sourceRepositoryOwner?: string;
  readonly builderId?: string;
  readonly packageName?: string;
  readonly packageVersion?: string;
  readonly workflowInputs?: Readonly<Record<string, string>>;
  readonly subjectName?: string;
  readonly spiffeId?: string;
  readonly keyValidFor?: { readonly start?: string; readonly end?: string };
  /** Of verification summaries. */
  readonly verifierId?: string;
  readonly resourceUri?: string;
  readonly verifiedLevels?: readonly string[];
  readonly subjectDigests?: readonly string[];
  readonly keyId?: string;
  /** Of checkpoints. */
  readonly noteVerifierKey?: string;
  readonly origin?: string;
}

/** A folder with a MANIFEST.json and the files that it names. */
export interface Corpus {
  readonly cases: readonly Case[];
  read(path: string): Buffer;
}

export function openCorpus(directory: string): Corpus {
  const manifest = JSON.parse(readFileSync(join(directory, "MANIFEST.json"), "utf8"));
  return { cases: manifest.cases, read: (path) => readFileSync(join(directory, path)) };
}

import { globSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { VouchsafeError } from "../../errors.ts";
import { sha256 } from "../../in-toto-attestation/digest.ts";
import type { Digest } from "../../in-toto-attestation/types.ts";
import type { VerificationPolicy } from "../../policy/policy.ts";
import { type CaseResult, runCase, testedPolicy } from "../../policy/run-test.ts";
import { type PolicyTest, readTestFile, type TestCase } from "../../policy/test-file.ts";
import type { TrustSnapshot } from "../../trust/snapshot.ts";
import type { VerifiedAttestation } from "../../verify/verified-attestation.ts";
import { verifyEvidence } from "../../verify/verify-evidence.ts";
import { artifactOfArgument } from "../arguments/artifact.ts";
import { readBytes, readPolicyFiles, reasonOf } from "../arguments/files.ts";
import { loadOrTell } from "../arguments/policies.ts";
import { readTrust } from "../arguments/trust.ts";
import { documentsOf } from "../evidence/evidence-documents.ts";
import { printDiagnostics } from "../output/diagnostics.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../usage-error.ts";

/** How one case went. */
export interface RanCase extends CaseResult {
  readonly file: string;
  readonly policy: string;
  readonly test: TestCase;
  /** Evidence of the case that does not verify: that says nothing about the policy, so that the case fails. */
  readonly refused: readonly { readonly file: string; readonly code: string; readonly message: string }[];
}

/** What an artifact is called that it is no matter which. */
const SOME_ARTIFACT = sha256("an artifact");

/** The test files that the paths name, by their directories; those of directories however deep. */
export async function findTests(paths: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Set<string>();
  for (const path of paths) {
    const entry = await stat(path).catch((cause) => {
      throw new UsageError(`${path} cannot be read: ${reasonOf(cause)}`, { cause });
    });
    const files = entry.isDirectory()
      ? globSync("**/*.test.{yaml,yml}", { cwd: path }).map((name) => join(path, name))
      : [path];
    for (const file of files) found.add(relative("", resolve(file)));
  }
  return Map.groupBy([...found].sort(), (file) => dirname(file));
}

/** Runs them all; undefined after what is wrong with policies or tests was told. */
export async function runTests(
  session: Pick<Session, "terminal" | "json">,
  directories: ReadonlyMap<string, readonly string[]>,
): Promise<RanCase[] | undefined> {
  const ran: RanCase[] = [];
  for (const [directory, files] of directories) {
    const set = await loadOrTell(session, await readPolicyFiles([directory]));
    if (set === undefined) return undefined;
    for (const file of files) {
      const text = new TextDecoder().decode(await readBytes(file));
      const document = { name: file, text };
      const { tests, diagnostics } = readTestFile(
        document,
        (kind, name) => testedPolicy(set, kind, name) !== undefined,
      );
      if (diagnostics.length > 0) {
        if (session.json) session.terminal.printJson({ diagnostics });
        else printDiagnostics(session.terminal, diagnostics, [document]);
        return undefined;
      }
      for (const test of tests) {
        const policy = testedPolicy(set, test.kind, test.policy);
        if (policy !== undefined) ran.push(...(await runCases(test, policy, directory)));
      }
    }
  }
  return ran;
}

async function runCases(test: PolicyTest, policy: VerificationPolicy, directory: string): Promise<RanCase[]> {
  const usesFiles = test.cases.some(({ evidence }) => evidence.some((one) => one.case === "file"));
  const trust = usesFiles ? await trustOf(test, directory) : undefined;
  const ran: RanCase[] = [];
  for (const one of test.cases) {
    const digests = await artifactsOf(one, directory);
    const { verified, refused } = trust
      ? await verifyFiles(one, trust, directory)
      : { verified: [], refused: [] };
    const named = digests.find((digest) => verified.some((attestation) => isAbout(attestation, digest)));
    const result = runCase(policy, one, named ?? digests[0] ?? SOME_ARTIFACT, verified);
    ran.push({
      ...result,
      passed: result.passed && refused.length === 0,
      file: test.file,
      policy: test.policy,
      test: one,
      refused,
    });
  }
  return ran;
}

async function trustOf({ trust, trustedRoots }: PolicyTest, directory: string): Promise<TrustSnapshot> {
  const read = await readTrust({
    ...(trust !== undefined && { trust: join(directory, trust) }),
    trustedRoot: trustedRoots.map((file) => join(directory, file)),
  });
  return read.trust;
}

async function artifactsOf({ artifact }: TestCase, directory: string): Promise<readonly Digest[]> {
  if (artifact === undefined) return [SOME_ARTIFACT];
  const isDigest = /^[a-z0-9_]+:[0-9a-f]+$/.test(artifact);
  const { digests } = await artifactOfArgument(isDigest ? artifact : join(directory, artifact));
  return digests;
}

function isAbout({ subjects }: VerifiedAttestation, digest: Digest): boolean {
  return subjects.some(({ digests }) => digests.includes(digest));
}

/** Verifies what the case has in files, at the case's time. */
async function verifyFiles({ evidence, time }: TestCase, trust: TrustSnapshot, directory: string) {
  const verified: VerifiedAttestation[] = [];
  const refused: RanCase["refused"][number][] = [];
  for (const one of evidence) {
    if (one.case !== "file") continue;
    for (const { bytes, refusal } of documentsOf(await readBytes(join(directory, one.file)))) {
      try {
        if (refusal !== undefined) throw refusal;
        verified.push(verifyEvidence(bytes, trust, time));
      } catch (error) {
        if (!(error instanceof VouchsafeError)) throw error;
        refused.push({ file: basename(one.file), code: error.code, message: error.message });
      }
    }
  }
  return { verified, refused };
}

import { readFile, stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { ALGORITHM_BY_LENGTH, digestsOfFile } from "../cli/arguments/artifact.ts";
import { UsageError } from "../cli/usage-error.ts";
import { groundsAllow, parseDigest } from "../in-toto-attestation/digest.ts";
import { filesMatching } from "./glob.ts";
import type { Inputs } from "./inputs.ts";
import { parsePathList } from "./path-list.ts";

/** What is asked about. */
export interface Subject {
  readonly name: string;
  /** `algorithm:hex`, of the same bytes each; what evidence names by weak digests alone has one of those. */
  readonly digests: readonly [string, ...string[]];
}

type SubjectInputs = Pick<Inputs, "subjectPath" | "subjectDigest" | "subjectName" | "subjectChecksums">;

/** As actions/attest takes. */
const MOST_SUBJECTS = 1024;
const MOST_CHECKSUMS = 512 * MOST_SUBJECTS;

/**
 * The subjects that the inputs name, by the rules of actions/attest: one of the three ways, or undefined where there is
 * none. Throws `UsageError` for more than one, and where nothing is found: a gate that asks nothing lets everything through.
 */
export async function subjectsOf(inputs: SubjectInputs, cwd: string): Promise<Subject[] | undefined> {
  const { subjectPath, subjectDigest, subjectName, subjectChecksums } = inputs;
  const ways = [subjectPath, subjectDigest, subjectChecksums].filter((way) => way !== undefined);
  if (ways.length > 1) {
    throw new UsageError(
      "Give one of `subject-path`, `subject-digest` and `subject-checksums`, and not several",
    );
  }
  if (subjectPath !== undefined) return unique(await fromPaths(subjectPath, subjectName, cwd));
  if (subjectChecksums !== undefined) return unique(await fromChecksums(subjectChecksums, cwd));
  if (subjectDigest === undefined) {
    if (subjectName === undefined) return undefined;
    // Most often the output of a step that has no such output: other subjects are not what was meant.
    throw new UsageError(
      "`subject-name` names what `subject-digest` or `subject-path` says, and both are empty",
    );
  }
  if (subjectName === undefined) throw new UsageError("`subject-digest` needs a `subject-name` beside it");
  return [{ name: subjectName, digests: [checked(subjectDigest)] }];
}

async function fromPaths(list: string, name: string | undefined, cwd: string): Promise<Subject[]> {
  const files = await filesMatching(parsePathList(list), cwd);
  if (files.length === 0) throw new UsageError(`\`subject-path\` matches no file: ${list}`);
  requireFew(files.length);
  const subjects: Subject[] = [];
  for (const file of files) {
    subjects.push({ name: name ?? basename(file), digests: await digestsOfFile(file) });
  }
  return subjects;
}

/** Either the path of a file or its text: lines of `sha256sum` and its like. */
async function fromChecksums(given: string, cwd: string): Promise<Subject[]> {
  const text = await readChecksums(given, cwd);
  const subjects = text.split(/\r?\n/).flatMap((line): Subject[] => {
    const [, hex, name] = /^(\S+) [ *]?(.+)$/.exec(line) ?? [];
    if (hex === undefined || name === undefined) {
      if (line.trim() === "") return [];
      throw new UsageError(`\`subject-checksums\` has a line that is no digest and name: ${line}`);
    }
    return [{ name, digests: [checked(`${ALGORITHM_BY_LENGTH.get(hex.length) ?? "sha256"}:${hex}`)] }];
  });
  if (subjects.length === 0) throw new UsageError("`subject-checksums` names no subject");
  requireFew(subjects.length);
  return subjects;
}

async function readChecksums(given: string, cwd: string): Promise<string> {
  const path = resolve(cwd, given);
  const file = given.includes("\n") ? undefined : await stat(path).catch(() => undefined);
  if (file === undefined) return given;
  if (!file.isFile() || file.size > MOST_CHECKSUMS) {
    throw new UsageError(`\`subject-checksums\`: ${given} is no file of at most ${MOST_CHECKSUMS} bytes`);
  }
  return readFile(path, "utf8");
}

/** Whether it is a digest of an algorithm that an allow can rest on. */
export function canBeAsked(digest: string): boolean {
  try {
    return groundsAllow(parseDigest(digest));
  } catch {
    return false;
  }
}

function checked(given: string): string {
  const digest = given.toLowerCase();
  if (canBeAsked(digest)) return digest;
  throw new UsageError(`${given} is no digest of sha256, sha384 or sha512, such as sha256:9f86…`);
}

function requireFew(count: number): void {
  if (count > MOST_SUBJECTS) throw new UsageError(`${count} subjects are more than ${MOST_SUBJECTS}`);
}

export function unique(subjects: readonly Subject[]): Subject[] {
  return [
    ...new Map(subjects.map((subject) => [[...subject.digests, subject.name].join(" "), subject])).values(),
  ];
}

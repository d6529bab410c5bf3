import { isMap, type Node } from "yaml";
import type { Diagnostic } from "../yaml/diagnostics.ts";
import { readYaml, startOf, type YamlSource } from "../yaml/source.ts";
import { suggestion } from "../yaml/suggestion.ts";
import {
  digest,
  isText,
  list,
  oneOf,
  optional,
  type Reader,
  record,
  refuse,
  required,
  table,
  text,
} from "./documents/readers.ts";
import { type PolicyFile, sortedDiagnostics } from "./load.ts";
import { API_VERSION } from "./policy.ts";
import type { Containment } from "./question.ts";
import { changed, problemOf, type Stated, stated, time } from "./stated-evidence.ts";

/** A document of kind PolicyTest: cases that a policy is held to. File names are as written, relative to the test's. */
export interface PolicyTest {
  /** The file that it stands in. */
  readonly file: string;
  /** What is tested, by its name: a policy, or a builder through a policy that takes whatever it built. */
  readonly policy: string;
  readonly kind: TestedKind;
  readonly trust?: string;
  readonly trustedRoots: readonly string[];
  readonly cases: readonly TestCase[];
}

export type TestedKind = "VerificationPolicy" | "Builder";

export interface TestCase {
  readonly name: string;
  /** Where it begins in the file, from 1. */
  readonly line: number;
  /** Now, in milliseconds since the epoch. */
  readonly time: number;
  /** A digest or a file; absent where it is no matter. */
  readonly artifact?: string;
  readonly evidence: readonly TestEvidence[];
  /** What manifests say of what lies in what. */
  readonly manifests: readonly Containment[];
  /** Names of the tokens by which it was approved, as the case's evidence stands and at its time. */
  readonly approvals: readonly string[];
  readonly expected: Expected;
}

/** Evidence in a file, which must verify, or what evidence would say. */
export type TestEvidence =
  | { readonly case: "file"; readonly file: string }
  | { readonly case: "stated"; readonly stated: Stated };

/** `failing`: all the checks that fail, by name; none where it is to be allowed. */
export interface Expected {
  readonly outcome: "allow" | "deny";
  readonly failing: readonly string[];
}

const MAX_CASES = 1000;

/** Reads a reader's value together with the node that it was read from. */
function placed<T>(read: Reader<T>): Reader<{ readonly value: T; readonly node: Node }> {
  return (source, node, parent) => {
    const value = read(source, node, parent);
    return value === undefined ? undefined : { value, node: node ?? parent };
  };
}

const inFile = record({ file: required(text) });

const shared: Reader<TestEvidence> = (source, node, parent) => {
  if (isMap(node) && node.has("file")) {
    const read = inFile(source, node, parent);
    return read && { case: "file", file: read.file };
  }
  const read = stated(source, node, parent);
  const problem = read && problemOf(read);
  if (problem !== undefined) return refuse(source, node, parent, problem);
  return read && { case: "stated", stated: read };
};

type CaseEvidence =
  | TestEvidence
  | { readonly case: "like"; readonly name: string; readonly but: Stated; readonly node: Node };

const variant = record({ like: required(text), but: optional(stated) });

const caseEvidence: Reader<CaseEvidence> = (source, node, parent) => {
  if (isText(node)) return { case: "like", name: node.value, but: {}, node };
  if (!isMap(node) || !node.has("like")) return shared(source, node, parent);
  const read = variant(source, node, parent);
  return read && { case: "like", name: read.like, but: read.but ?? {}, node };
};

const expected: Reader<Expected> = (source, node, parent) => {
  if (isText(node) && node.value === "allow") return { outcome: "allow", failing: [] };
  if (!isMap(node)) {
    return refuse(source, node, parent, "`allow`, or `deny` with the checks that fail, is expected");
  }
  const read = record({ deny: required(list(text)) })(source, node, parent);
  return read && { outcome: "deny", failing: [...new Set(read.deny)].sort() };
};

const manifest: Reader<readonly Containment[]> = (source, node, parent) => {
  const read = record({ digest: required(digest), contains: required(list(digest)) })(source, node, parent);
  return read?.contains.map((contained) => ({ container: read.digest, contained, isBlob: false }));
};

const writtenCase = record({
  name: required(text),
  time: optional(time),
  artifact: optional(text),
  manifests: optional(list(manifest)),
  evidence: optional(list(caseEvidence)),
  approvals: optional(list(text)),
  expect: required(expected),
});

const writtenTest = record({
  apiVersion: required(oneOf([API_VERSION])),
  kind: required(oneOf(["PolicyTest"])),
  spec: required(
    record(
      {
        policy: optional(placed(text)),
        builder: optional(placed(text)),
        time: required(time),
        artifact: optional(text),
        manifests: optional(list(manifest)),
        trust: optional(text),
        trustedRoots: optional(list(text)),
        evidence: optional(table(shared)),
        cases: required(list(placed(writtenCase), MAX_CASES)),
      },
      ({ policy, builder }) =>
        (policy === undefined) === (builder === undefined)
          ? "a test is of a `policy` or of a `builder`"
          : undefined,
    ),
  ),
});

/** The tests of a file, or all that is wrong with it. `isKnown` says which policies and builders there are. */
export function readTestFile(
  file: PolicyFile,
  isKnown: (kind: TestedKind, name: string) => boolean,
): { readonly tests: readonly PolicyTest[]; readonly diagnostics: readonly Diagnostic[] } {
  const { source, documents } = readYaml(file.name, file.text);
  const tests = documents.flatMap(({ node }): PolicyTest[] => {
    const read = writtenTest(source, node, node);
    if (read === undefined) return [];
    const { time, artifact, trust, trustedRoots = [], evidence = new Map(), cases } = read.spec;
    const { manifests = [] } = read.spec;
    const kind = read.spec.builder === undefined ? "VerificationPolicy" : "Builder";
    const tested = read.spec.builder ?? read.spec.policy;
    if (tested === undefined) return [];
    if (!isKnown(kind, tested.value)) {
      refuse(source, tested.node, node, `no ${kind} beside this file is named \`${tested.value}\``);
    }
    const completed = cases.map(({ value, node: place }): TestCase => {
      const about = value.artifact ?? artifact;
      return {
        name: value.name,
        line: lineOf(source, place),
        time: value.time ?? time,
        ...(about !== undefined && { artifact: about }),
        evidence: (value.evidence ?? []).flatMap((one) => resolved(source, one, evidence) ?? []),
        manifests: (value.manifests ?? manifests).flat(),
        approvals: value.approvals ?? [],
        expected: value.expect,
      };
    });
    return [
      {
        file: file.name,
        policy: tested.value,
        kind,
        ...(trust !== undefined && { trust }),
        trustedRoots,
        cases: completed,
      },
    ];
  });
  if (documents.length === 0 && source.diagnostics.length === 0)
    source.report(0, "there is no test in the file");
  return { tests, diagnostics: sortedDiagnostics(source.diagnostics) };
}

function resolved(
  source: YamlSource,
  one: CaseEvidence,
  shared: ReadonlyMap<string, TestEvidence>,
): TestEvidence | undefined {
  if (one.case !== "like") return one;
  const base = shared.get(one.name);
  if (base === undefined) {
    const meant = suggestion(one.name, [...shared.keys()]);
    return source.report(startOf(one.node), `\`evidence\` of this test has no \`${one.name}\`${meant}`);
  }
  if (Object.keys(one.but).length === 0) return base;
  if (base.case === "file") {
    return source.report(startOf(one.node), `\`${one.name}\` is signed: what it says cannot be changed`);
  }
  const stated = changed(base.stated, one.but);
  const problem = problemOf(stated);
  return problem === undefined ? { case: "stated", stated } : source.report(startOf(one.node), problem);
}

function lineOf({ text }: YamlSource, node: Node): number {
  return text.slice(0, startOf(node)).split("\n").length;
}

import type { Reference } from "./reference.ts";

/** What evidence calls the artifact that a reference names. */
export interface SubjectName {
  /** For people. */
  readonly text: string;
  matches(name: string): boolean;
}

/**
 * What the subject of evidence about a published version is called, which binds the registry too: without it another version
 * or package of the same signer passes for the one that is named. Undefined where evidence says no such name.
 *
 * npm: the package URL (github.com/npm/cli, `npa.toPurl`), which npm's own client holds it to. PyPI: the file's name (PEP 740).
 */
export function subjectNameOf(reference: Reference): SubjectName | undefined {
  if (reference.case === "npm") {
    const text = `pkg:npm/${reference.name.replace("@", "%40")}@${reference.version}`;
    return { text, matches: (name) => name.replace(/^pkg:npm\/@/, "pkg:npm/%40") === text };
  }
  if (reference.case === "pypi") {
    const { project, version, file } = reference;
    if (file === undefined)
      return { text: `a file of ${project} ${version}`, matches: (name) => isFileOf(name, project, version) };
    return { text: file, matches: (name) => normalized(name) === normalized(file) };
  }
  return undefined;
}

/** Names of wheels and other built distributions begin with project and version (PEP 427); those of sources are both (PEP 625). */
export function isFileOf(filename: string, project: string, version: string): boolean {
  const [, built = "", builtVersion] = /^([^-]+)-([^-]+)-/.exec(filename) ?? [];
  if (normalized(built) === project && builtVersion === version) return true;
  const source = filename.replace(/\.(tar\.gz|zip)$/, "");
  const end = `-${version}`;
  return source.endsWith(end) && normalized(source.slice(0, -end.length)) === project;
}

/** PEP 503. */
function normalized(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

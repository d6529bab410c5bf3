import { readFileSync } from "node:fs";
import { isMap, isScalar, type Node } from "yaml";
import type { JsonValue } from "../in-toto-attestation/types.ts";
import { type Diagnostic, diagnosticLine } from "../yaml/diagnostics.ts";
import { plainJson, readYaml, startOf, type YamlSource } from "../yaml/source.ts";
import { suggestion } from "../yaml/suggestion.ts";

/** What the file has at one path. */
export interface FileValue {
  readonly json: JsonValue;
  /** Notes a mistake at its place. */
  report(message: string): void;
}

export interface ConfigFile {
  /** By path, e.g. `listen.port`. */
  readonly values: ReadonlyMap<string, FileValue>;
  /** Each with its place, as `file:line:column: what`. */
  mistakes(): string[];
}

/**
 * Reads the configuration's YAML file. Keys that are not among `paths` are mistakes.
 *
 * @param paths of all settings, e.g. `listen.port`
 */
export function readConfigFile(file: string, paths: readonly string[]): ConfigFile {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { values: new Map(), mistakes: () => [`the configuration file cannot be read: ${why}`] };
  }
  const { source, documents } = readYaml(file, text);
  const values = new Map<string, FileValue>();
  const [document, another] = documents;
  if (another !== undefined) source.report(startOf(another.node), "one document is expected");
  if (document !== undefined) readMembers(source, document.node, "", paths, values);
  return { values, mistakes: () => source.diagnostics.toSorted(byPlace).map(diagnosticLine) };
}

function byPlace(a: Diagnostic, b: Diagnostic): number {
  return a.line - b.line || a.column - b.column;
}

/** Takes the members of a map apart, of which those that no setting has are mistakes. */
function readMembers(
  source: YamlSource,
  node: Node,
  prefix: string,
  paths: readonly string[],
  values: Map<string, FileValue>,
): void {
  // All of a section may be commented out.
  if (isScalar(node) && node.value === null && prefix !== "") return;
  if (!isMap(node)) {
    source.report(startOf(node), `${prefix === "" ? "the file" : prefix.slice(0, -1)} must be a map`);
    return;
  }
  const names = new Set(
    paths
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length).split(".")[0] ?? ""),
  );
  for (const { key, value } of node.items as { key: Node; value: Node | null }[]) {
    const name = isScalar(key) ? String(key.value) : "";
    const path = prefix + name;
    // Without the space after its colon a whole value, a password with it, is part of the key.
    const shown = /^[A-Za-z0-9_-]{1,64}$/.test(name) ? ` \`${path}\`` : "";
    if (!names.has(name)) source.report(startOf(key), `unknown key${shown}${suggestion(name, [...names])}`);
    else if (!paths.includes(path)) readMembers(source, value ?? key, `${path}.`, paths, values);
    else {
      const report = (message: string) => source.report(startOf(value ?? key), message);
      values.set(path, { json: plainJson(source, value, 0) ?? null, report });
    }
  }
}

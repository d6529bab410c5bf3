import { isMap, isNode } from "yaml";
import { isJsonObject, type JsonValue } from "../../in-toto-attestation/index.ts";
import type { Diagnostic } from "../../yaml/diagnostics.ts";
import { readYaml, startOf, type YamlDocument } from "../../yaml/source.ts";
import type { PolicyFile } from "../load.ts";
import type { KINDS } from "../policy.ts";

/** Points at a place of a document that was loaded from these files. */
export function placeOf(
  files: readonly PolicyFile[],
  policy: { readonly kind: (typeof KINDS)[number]; readonly name: string; readonly file: string },
  path: readonly (string | number)[],
  message: string,
): Diagnostic {
  const text = files.find(({ name }) => name === policy.file)?.text ?? "";
  const { source, documents } = readYaml(policy.file, text);
  const document = documents.find(({ json }) => isPolicy(json, policy));
  source.report(document === undefined ? 0 : offsetOf(document, path), message);
  const [diagnostic = { file: policy.file, line: 1, column: 1, message }] = source.diagnostics;
  return diagnostic;
}

function isPolicy(
  json: JsonValue,
  { kind, name }: { readonly kind: string; readonly name: string },
): boolean {
  if (!isJsonObject(json) || json.kind !== kind) return false;
  return isJsonObject(json.metadata) && json.metadata.name === name;
}

/** Of what stands at the path; where nothing does, of what it would stand in. */
function offsetOf({ node }: YamlDocument, path: readonly (string | number)[]): number {
  for (let length = path.length; length > 0 && isMap(node); length -= 1) {
    const member = node.getIn(path.slice(0, length), true);
    if (isNode(member)) return startOf(member);
  }
  return startOf(node);
}

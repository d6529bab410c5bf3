import { VouchsafeError } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../in-toto-attestation/index.ts";
import { diagnosticLine } from "../yaml/diagnostics.ts";
import { readYaml } from "../yaml/source.ts";

/** By which policy a namespace's images are decided; undefined: by those of the webhook's own credential. */
export type PolicyOf = (namespace: string) => string | undefined;

const KNOWN = new Set(["default", "namespaces"]);

/**
 * Reads which policy each namespace has:
 *
 *     default: release
 *     namespaces:
 *       payments: payments-release
 *
 * Throws `VouchsafeError` (`configuration-invalid`).
 */
export function readPolicies(file: string, text: string): PolicyOf {
  const { source, documents } = readYaml(file, text);
  const mistakes = source.diagnostics.map(diagnosticLine);
  const [document, ...more] = documents;
  if (mistakes.length > 0) throw invalid(mistakes.join("\n"));
  if (document === undefined || more.length > 0 || !isJsonObject(document.json))
    throw invalid(`${file} must hold one YAML document with \`default\` and \`namespaces\``);
  const unknown = Object.keys(document.json).find((name) => !KNOWN.has(name));
  if (unknown !== undefined)
    throw invalid(`${file} has ${unknown}, which is neither \`default\` nor \`namespaces\``);
  const { default: fallback, namespaces = {} } = document.json;
  const byDefault = fallback === undefined ? undefined : nameOf(file, fallback, "default");
  if (!isJsonObject(namespaces)) throw invalid(`${file}: namespaces must name a policy by each namespace`);
  const named = new Map(namesIn(file, namespaces));
  return (namespace) => named.get(namespace) ?? byDefault;
}

function namesIn(file: string, namespaces: JsonObject): (readonly [string, string])[] {
  return Object.entries(namespaces).map(([namespace, policy]) => {
    // RFC 1123 labels, as Kubernetes names namespaces: what is none would match nothing.
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(namespace))
      throw invalid(`${file}: ${namespace} is no namespace's name`);
    return [namespace, nameOf(file, policy, namespace)];
  });
}

function nameOf(file: string, policy: JsonValue, of: string): string {
  if (typeof policy !== "string" || policy === "" || policy.length > 200)
    throw invalid(`${file}: ${of} must have the name of a policy`);
  return policy;
}

function invalid(message: string): VouchsafeError {
  return new VouchsafeError("configuration-invalid", message);
}

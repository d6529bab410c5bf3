import { isJsonObject, type JsonValue } from "../in-toto-attestation/index.ts";
import { readYaml } from "../yaml/source.ts";
import type { PolicyFile } from "./load.ts";

/** Builders by their names, as files that need not load name them. */
export interface BuilderNames {
  readonly used: ReadonlySet<string>;
  readonly defined: ReadonlySet<string>;
}

/** What cannot be read names nothing: loading tells of it. */
export function builderNames(files: readonly PolicyFile[]): BuilderNames {
  const documents = files.flatMap(({ name, text }) => readYaml(name, text).documents.map(({ json }) => json));
  const builders = documents.filter((json) => member(json, "kind") === "Builder");
  return {
    used: names(
      documents.flatMap((json) => listed(member(json, "spec", "builders"))).map((one) => member(one, "use")),
    ),
    defined: names(builders.map((json) => member(json, "metadata", "name"))),
  };
}

function member(json: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  return path.reduce<JsonValue | undefined>((at, name) => (isJsonObject(at) ? at[name] : undefined), json);
}

function listed(json: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(json) ? json : [];
}

function names(values: readonly (JsonValue | undefined)[]): Set<string> {
  return new Set(values.filter((value) => typeof value === "string"));
}

import { AttestationFormatError } from "./errors.ts";
import { isJsonObject } from "./json.ts";
import { onlySourceAmong, sourceAmong, sourceFromRepository, sourceFromUri } from "./provenance-source.ts";
import { parseDependency } from "./resource-descriptor.ts";
import type { JsonObject, JsonValue, Provenance, ResourceDescriptor, Statement } from "./types.ts";

/** SLSA provenance predicate type → how its body is read. */
const READERS: ReadonlyMap<string, (predicate: JsonObject) => Provenance> = new Map([
  ["https://slsa.dev/provenance/v0.1", readV01],
  ["https://slsa.dev/provenance/v0.2", readV02],
  ["https://slsa.dev/provenance/v1", readV1],
  ["https://slsa.dev/provenance/v1.0?draft", readV1],
]);

/**
 * The SLSA provenance in a Statement, in the words of v1; undefined when the predicate is something else.
 *
 * Throws `AttestationFormatError` (`malformed-statement`) when it claims to be provenance and a member that is
 * read here is missing or of the wrong type.
 */
export function provenanceOf(statement: Statement): Provenance | undefined {
  return READERS.get(statement.predicateType)?.(statement.predicate);
}

/** slsa.dev/spec/v1.0/provenance */
function readV1(predicate: JsonObject): Provenance {
  const definition = objectMember(predicate, "buildDefinition");
  const details = objectMember(predicate, "runDetails");
  const metadata = optionalObject(details, "metadata");
  const buildType = stringMember(definition, "buildType");
  const externalParameters = optionalObject(definition, "externalParameters");
  const resolvedDependencies = descriptors(definition, "resolvedDependencies");
  return {
    version: "v1",
    builderId: stringMember(objectMember(details, "builder"), "id"),
    buildType,
    externalParameters,
    internalParameters: optionalObject(definition, "internalParameters"),
    resolvedDependencies,
    ...present("source", sourceOfV1(buildType, externalParameters, resolvedDependencies)),
    ...present("invocationId", optionalString(metadata, "invocationId")),
    ...present("startedOn", optionalString(metadata, "startedOn")),
    ...present("finishedOn", optionalString(metadata, "finishedOn")),
  };
}

/** github.com/tektoncd/chains, docs/slsa-provenance.md, and cloud.google.com/build/gcb-buildtypes/google-builder/v1. */
const TEKTONS = [
  "https://tekton.dev/",
  "tekton.dev/",
  "https://cloud.google.com/build/gcb-buildtypes/google-builder/",
];
/** cloud.google.com/build/gcb-buildtypes/google-worker/v1 */
const CLOUD_BUILD = "https://cloud.google.com/build/gcb-buildtypes/google-worker/";
/** What Tekton Chains calls a dependency that the pipeline says was built; others are pipelines, tasks and images. */
const TEKTON_INPUT = "inputs/result";

/**
 * Whether Tekton ran it. What configured its build is a pipeline, which whoever starts a run takes from where he likes: where
 * that came from is not where the source did.
 */
function isTektons(buildType: string): boolean {
  return TEKTONS.some((prefix) => buildType.startsWith(prefix));
}

/**
 * v1 leaves it to each build type where the source is. These are the shapes of the build types in use: GitHub
 * Actions `workflow`, Cloud Build `sourceToBuild` or, where that is the same, `buildConfigSource`, container-based
 * `source`, Tekton's inputs, delegated builders' first dependency.
 */
function sourceOfV1(
  buildType: string,
  parameters: JsonObject,
  dependencies: readonly ResourceDescriptor[],
): Provenance["source"] {
  if (isTektons(buildType)) {
    return onlySourceAmong(dependencies.filter(({ name }) => name === TEKTON_INPUT));
  }
  const ofCloudBuild = parameters.sourceToBuild ? "sourceToBuild" : "buildConfigSource";
  const place = buildType.startsWith(CLOUD_BUILD) ? ofCloudBuild : "workflow";
  const { repository, ref } = optionalObject(parameters, place);
  if (typeof repository === "string" && typeof ref === "string") {
    return sourceFromRepository(repository, ref, dependencies);
  }
  const { source } = parameters;
  if (isJsonObject(source) && typeof source.uri === "string") {
    return sourceFromUri(parseDependency(source, "externalParameters.source"));
  }
  return sourceAmong(dependencies);
}

/** slsa.dev/spec/v0.2/provenance */
function readV02(predicate: JsonObject): Provenance {
  const invocation = optionalObject(predicate, "invocation");
  const metadata = optionalObject(predicate, "metadata");
  const configSource = optionalObject(invocation, "configSource");
  const materials = descriptors(predicate, "materials");
  const buildType = stringMember(predicate, "buildType");
  const source = isTektons(buildType)
    ? onlySourceAmong(notConfiguring(predicate, materials))
    : configSource.uri === undefined
      ? sourceAmong(materials)
      : sourceFromUri(parseDependency(configSource, "configSource"));
  return {
    version: "v0.2",
    builderId: stringMember(objectMember(predicate, "builder"), "id"),
    buildType,
    externalParameters: { configSource, parameters: invocation.parameters ?? null },
    internalParameters: { environment: invocation.environment ?? null },
    resolvedDependencies: materials,
    ...present("source", source),
    ...present("invocationId", optionalString(metadata, "buildInvocationId", "buildInvocationID")),
    ...present("startedOn", optionalString(metadata, "buildStartedOn")),
    ...present("finishedOn", optionalString(metadata, "buildFinishedOn")),
  };
}

/** Tekton's materials have no names: without the repositories from which its pipeline and tasks came, what was built is left. */
function notConfiguring(
  predicate: JsonObject,
  materials: readonly ResourceDescriptor[],
): ResourceDescriptor[] {
  const { tasks } = optionalObject(predicate, "buildConfig");
  const runs = [predicate, ...(Array.isArray(tasks) ? tasks.filter(isJsonObject) : [])];
  const configuring = new Set(
    runs.map((run) => {
      const uri = optionalString(optionalObject(optionalObject(run, "invocation"), "configSource"), "uri");
      return uri === undefined ? undefined : sourceFromUri({ uri, digest: {} })?.uri;
    }),
  );
  return materials.filter((material) => !configuring.has(sourceFromUri(material)?.uri));
}

/** slsa.dev/spec/v0.1/provenance: `recipe.definedInMaterial` indexes the material that is the source. */
function readV01(predicate: JsonObject): Provenance {
  const recipe = objectMember(predicate, "recipe");
  const metadata = optionalObject(predicate, "metadata");
  const materials = descriptors(predicate, "materials");
  const { definedInMaterial } = recipe;
  const definedIn = typeof definedInMaterial === "number" ? materials[definedInMaterial] : undefined;
  return {
    version: "v0.1",
    builderId: stringMember(objectMember(predicate, "builder"), "id"),
    buildType: stringMember(recipe, "type"),
    externalParameters: { entryPoint: recipe.entryPoint ?? null, arguments: recipe.arguments ?? null },
    internalParameters: { environment: recipe.environment ?? null },
    resolvedDependencies: materials,
    ...present("source", definedIn === undefined ? sourceAmong(materials) : sourceFromUri(definedIn)),
    ...present("invocationId", optionalString(metadata, "buildInvocationId")),
    ...present("startedOn", optionalString(metadata, "buildStartedOn")),
    ...present("finishedOn", optionalString(metadata, "buildFinishedOn")),
  };
}

function descriptors(parent: JsonObject, name: string): ResourceDescriptor[] {
  const value = parent[name] ?? [];
  if (!Array.isArray(value)) throw malformed(name, "an array");
  return value.map((item: JsonValue) => parseDependency(item, name));
}

function objectMember(parent: JsonObject, name: string): JsonObject {
  const value = parent[name];
  if (!isJsonObject(value)) throw malformed(name, "an object");
  return value;
}

/** An absent or null member reads as one without members. */
function optionalObject(parent: JsonObject, name: string): JsonObject {
  return parent[name] === undefined || parent[name] === null
    ? Object.create(null)
    : objectMember(parent, name);
}

function stringMember(parent: JsonObject, name: string): string {
  const value = parent[name];
  if (typeof value !== "string") throw malformed(name, "a string");
  return value;
}

/** The first of the names that is present: writers of v0.2 spell some members two ways. */
function optionalString(parent: JsonObject, ...names: string[]): string | undefined {
  const name = names.find((candidate) => parent[candidate] !== undefined && parent[candidate] !== null);
  return name === undefined ? undefined : stringMember(parent, name);
}

function present<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  return (value === undefined ? {} : { [key]: value }) as Partial<Record<K, V>>;
}

function malformed(name: string, wanted: string): AttestationFormatError {
  return new AttestationFormatError("malformed-statement", `SLSA provenance: ${name} is not ${wanted}`);
}

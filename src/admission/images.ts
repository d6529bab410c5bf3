import { isJsonObject, type JsonObject, type JsonValue } from "../in-toto-attestation/index.ts";

/** An image that an object would have run, or mounted. */
export interface NamedImage {
  /** Who names it, e.g. `container web`. */
  readonly by: string;
  /** As it stands there; empty where there is none. */
  readonly image: string;
}

/** Where each kind has what its pods are made from. Kinds that are not listed are not known. */
const POD_SPECS: ReadonlyMap<string, readonly string[]> = new Map([
  ["/v1/Pod", ["spec"]],
  ["/v1/PodTemplate", ["template", "spec"]],
  ["/v1/ReplicationController", ["spec", "template", "spec"]],
  ["apps/v1/Deployment", ["spec", "template", "spec"]],
  ["apps/v1/StatefulSet", ["spec", "template", "spec"]],
  ["apps/v1/DaemonSet", ["spec", "template", "spec"]],
  ["apps/v1/ReplicaSet", ["spec", "template", "spec"]],
  ["batch/v1/Job", ["spec", "template", "spec"]],
  ["batch/v1/CronJob", ["spec", "jobTemplate", "spec", "template", "spec"]],
]);

/** Members of a pod's spec that list containers. */
const CONTAINERS = [
  ["container", "containers"],
  ["init container", "initContainers"],
  ["ephemeral container", "ephemeralContainers"],
] as const;

/** What is not of its kind's shape. */
export class MalformedObject extends Error {}

export function isKnownKind(kind: string): boolean {
  return POD_SPECS.has(kind);
}

/**
 * All images that an object of a known kind names, image volumes among them. Throws `MalformedObject` for one in which an image could
 * stand where it is not looked for.
 */
export function imagesOf(kind: string, object: JsonObject): readonly NamedImage[] {
  let at: JsonObject | undefined = object;
  for (const member of POD_SPECS.get(kind) ?? []) at = at && objectIn(at, member);
  // Only ReplicationController may be without a template, and then makes no pods.
  if (at === undefined) return [];
  const spec = at;
  return [
    ...CONTAINERS.flatMap(([what, member]) =>
      listIn(spec, member).map((container) => ({
        by: `${what} ${textIn(container, "name")}`,
        image: textIn(container, "image"),
      })),
    ),
    ...listIn(spec, "volumes").flatMap((volume) => {
      const image = objectIn(volume, "image");
      return image === undefined
        ? []
        : [{ by: `volume ${textIn(volume, "name")}`, image: textIn(image, "reference") }];
    }),
  ];
}

function objectIn(object: JsonObject, member: string): JsonObject | undefined {
  const value = object[member];
  if (isAbsent(value)) return undefined;
  if (!isJsonObject(value)) throw new MalformedObject(`${member} is no object`);
  return value;
}

function listIn(object: JsonObject, member: string): readonly JsonObject[] {
  const value = object[member];
  if (isAbsent(value)) return [];
  if (!Array.isArray(value)) throw new MalformedObject(`${member} is no list`);
  return value.map((one) => {
    if (!isJsonObject(one)) throw new MalformedObject(`${member} has something that is no object`);
    return one;
  });
}

function textIn(object: JsonObject, member: string): string {
  const value = object[member];
  if (isAbsent(value)) return "";
  if (typeof value !== "string") throw new MalformedObject(`${member} is no text`);
  return value;
}

/** Go writes null, or nothing, for what is not there. */
function isAbsent(value: JsonValue | undefined): value is null | undefined {
  return value === undefined || value === null;
}

import { groundsAllow, parseDigest } from "../in-toto-attestation/digest.ts";
import type { Digest, JsonObject } from "../in-toto-attestation/types.ts";
import { imagesOf, isKnownKind, MalformedObject, type NamedImage } from "./images.ts";
import type { AdmissionRequest } from "./review.ts";

/** What is to be known before a request can be answered. */
export type Question =
  | { readonly case: "allow"; readonly why: string }
  | { readonly case: "deny"; readonly message: string }
  /** Of each image, by its digest, who names it. */
  | { readonly case: "ask"; readonly images: ReadonlyMap<Digest, NamedImage> };

/** As many as one call to a server takes. */
const MAX_IMAGES = 256;

/**
 * What a request asks for. New images are asked about: those of what is created, and those that an update adds. An update that adds none runs
 * nothing that was not let in, and must go through, or nobody could scale, label or mend what was denied since.
 */
export function questionOf({ kind, operation, object, oldObject }: AdmissionRequest): Question {
  if (operation === "DELETE" || operation === "CONNECT") return { case: "allow", why: "nothing is started" };
  if (!isKnownKind(kind) || object === undefined) {
    const what = object === undefined ? "An object that is not there" : kind;
    return deny(`${what} is not looked into: take it out of the webhook's rules`);
  }
  try {
    return questionAbout(imagesOf(kind, object), imagesBefore(kind, operation, oldObject));
  } catch (error) {
    if (!(error instanceof MalformedObject)) throw error;
    return deny(`The ${kind} has not the shape of one: ${error.message}`);
  }
}

function imagesBefore(kind: string, operation: string, oldObject: JsonObject | undefined) {
  return operation === "UPDATE" && oldObject !== undefined ? imagesOf(kind, oldObject) : [];
}

function questionAbout(named: readonly NamedImage[], before: readonly NamedImage[]): Question {
  const known = new Set(before.map(({ image }) => image));
  const added = named.filter(({ image }) => !known.has(image));
  const unpinned = added.filter(({ image }) => digestOf(image) === undefined);
  if (unpinned.length > 0) return deny(unpinned.map(unpinnedText).join(" "));
  const images = new Map<Digest, NamedImage>();
  for (const one of added) {
    const digest = digestOf(one.image);
    if (digest !== undefined && !images.has(digest)) images.set(digest, one);
  }
  if (images.size > MAX_IMAGES)
    return deny(`It names ${images.size} images; at most ${MAX_IMAGES} are taken`);
  return images.size === 0 ? { case: "allow", why: "no image is new" } : { case: "ask", images };
}

/** Of `name@digest`, or `name:tag@digest`, where the digest alone says what runs. */
function digestOf(image: string): Digest | undefined {
  const [, text = ""] = /^[^\s@]+@([^\s@]+)$/.exec(image) ?? [];
  try {
    const digest = parseDigest(text);
    return groundsAllow(digest) ? digest : undefined;
  } catch {
    return undefined;
  }
}

function unpinnedText({ by, image }: NamedImage): string {
  if (image === "") return `The ${by} names no image.`;
  const name = image.replace(/@.*$/, "").replace(/:[^:/]*$/, "");
  return (
    `The ${by} names ${image}, which may be something else tomorrow: name it as ${name}@sha256:…, ` +
    `with the digest that \`crane digest ${image}\` or \`docker buildx imagetools inspect ${image}\` prints.`
  );
}

function deny(message: string): Question {
  return { case: "deny", message };
}

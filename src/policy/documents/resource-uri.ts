import { algorithmOf, type Digest, hexOf } from "../../in-toto-attestation/index.ts";
import { textLike } from "./readers.ts";

/** A URI's characters (RFC 3986), scheme and all, with the two variables filled in or not. Scheme in lower case. */
const TEMPLATE =
  /^[a-z][a-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2}|\{digest\}|\{algorithm\}){1,1024}$/;

/**
 * What a policy says that its artifacts are verified as: a ResourceURI (in-toto/attestation spec/v1/field_types.md)
 * in which `{digest}` stands for the artifact's digest in hex and `{algorithm}` for the name of its algorithm.
 */
export const resourceUriTemplate = textLike(
  TEMPLATE,
  "a URI, such as `pkg:oci/app@{algorithm}%3A{digest}`, with no variables but `{digest}` and `{algorithm}`,",
);

export function fillResourceUri(template: string, artifact: Digest): string {
  return template.replaceAll("{digest}", hexOf(artifact)).replaceAll("{algorithm}", algorithmOf(artifact));
}

import { VouchsafeError } from "../../errors.ts";
import {
  parseSpiffeId,
  parseTrustDomain,
  type TrustDomain,
  trustDomainOf,
} from "../../identity/spiffe-id.ts";
import { parseTrustBundle } from "../../identity/trust-bundle.ts";
import type { BundleEndpoint, FederationSpec } from "../federated-trust-domain.ts";
import { documentOf } from "./document.ts";
import { isText, oneOf, optional, type Reader, record, refuse, required, text } from "./readers.ts";

const MAX_URL = 2048;

/** A text that one of our parsers takes. */
function parsed<T>(parse: (text: string) => T): Reader<T> {
  return (source, node, parent) => {
    const read = text(source, node, parent);
    if (read === undefined) return undefined;
    try {
      return parse(read);
    } catch (error) {
      if (!(error instanceof VouchsafeError)) throw error;
      return refuse(source, node, parent, error.message);
    }
  };
}

export const trustDomain = parsed(parseTrustDomain);

/** SPIFFE_Federation.md §5.2.1.1, §5.2.2.1. */
const endpointUrl: Reader<string> = (source, node, parent) => {
  const url = isText(node) && node.value.length <= MAX_URL ? URL.parse(node.value) : null;
  return url?.protocol === "https:" && url.username + url.password + url.hash === ""
    ? url.href
    : refuse(source, node, parent, "an https:// URL without user information is expected");
};

const profile: Reader<BundleEndpoint["profile"]> = (source, node, parent) => {
  const read = record({
    type: required(oneOf(["https_web", "https_spiffe"])),
    endpointSPIFFEID: optional(parsed(parseSpiffeId)),
  })(source, node, parent);
  if (read === undefined) return undefined;
  const { type, endpointSPIFFEID: endpointId } = read;
  if (type === "https_spiffe") {
    if (endpointId !== undefined) return { case: "https_spiffe", endpointId };
    return refuse(source, node, parent, "`endpointSPIFFEID` is missing: it says whom to believe");
  }
  if (endpointId === undefined) return { case: "https_web" };
  return refuse(
    source,
    node,
    parent,
    "`endpointSPIFFEID` goes with https_spiffe: Web PKI knows no SPIFFE IDs",
  );
};

const writtenSpec = record(
  {
    trustDomain: required(trustDomain),
    bundleEndpointURL: optional(endpointUrl),
    bundleEndpointProfile: optional(profile),
    trustDomainBundle: optional(text),
  },
  ({ bundleEndpointURL: url, bundleEndpointProfile: profile, trustDomainBundle: bundle }) => {
    if ((url === undefined) !== (profile === undefined))
      return "`bundleEndpointURL` and `bundleEndpointProfile` go together";
    return url === undefined && bundle === undefined
      ? "`bundleEndpointURL` or `trustDomainBundle` is missing: nothing could be believed"
      : undefined;
  },
);

const spec: Reader<FederationSpec> = (source, node, parent) => {
  const read = writtenSpec(source, node, parent);
  if (read === undefined) return undefined;
  const { trustDomain, bundleEndpointURL: url, bundleEndpointProfile: profile, trustDomainBundle } = read;
  const endpoint = url !== undefined && profile !== undefined ? { endpoint: { url, profile } } : {};
  if (trustDomainBundle === undefined) return { trustDomain, ...endpoint };
  try {
    const bundle = parseTrustBundle(new TextEncoder().encode(trustDomainBundle), trustDomain);
    return { trustDomain, ...endpoint, bundle };
  } catch (error) {
    if (!(error instanceof VouchsafeError)) throw error;
    return refuse(source, node, parent, error.message);
  }
};

export const federationDocument = documentOf(["FederatedTrustDomain"], spec);

/**
 * Why the endpoint of one of these could never be authenticated; undefined where nothing is missing. The bundle of the
 * endpoint's own trust domain is needed before the first fetch, its document's own or another's (SPIFFE_Federation.md
 * §5.2.2.2).
 */
export function missingBundle(
  { trustDomain, endpoint, bundle }: FederationSpec,
  isFederated: (trustDomain: TrustDomain) => boolean,
): string | undefined {
  if (endpoint?.profile.case !== "https_spiffe") return undefined;
  const authenticating = trustDomainOf(endpoint.profile.endpointId);
  if (authenticating === trustDomain)
    return bundle === undefined
      ? "`trustDomainBundle` is missing: the first fetch is authenticated by it"
      : undefined;
  return isFederated(authenticating)
    ? undefined
    : `no FederatedTrustDomain is of \`${authenticating}\`, by whose bundle the endpoint is authenticated`;
}

import { create, type DescMessage, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import { VouchsafeError } from "../../errors.ts";
import { spiffeId } from "../../identity/spiffe-id.ts";
import type { TrustBundle } from "../../identity/trust-bundle.ts";
import { writePem } from "../../x509/pem.ts";
import type { X509Grant } from "../identity-source.ts";
import type { X509Update } from "../x509-updates.ts";
import { SecretSchema, SPIFFECertValidatorConfigSchema } from "./tls_pb.ts";

/** What a proxy asks for, and how it can take it. */
export interface SecretRequest {
  /** SPIFFE IDs, trust domains as `spiffe://NAME`, or the names below; none for all that there is. */
  readonly names: readonly string[];
  /** Whether it knows the extension `envoy.tls.cert_validator.spiffe`, which holds each trust domain to its own authorities. */
  readonly takesSpiffeValidator: boolean;
}

/** The names that SPIRE's agent has: the first SVID, the trust domain's authorities, and those of all trust domains. */
const DEFAULT_SVID = "default";
const DEFAULT_BUNDLE = "ROOTCA";
const ALL_BUNDLES = "ALL";

const SPIFFE_VALIDATOR = "envoy.tls.cert_validator.spiffe";

/**
 * A workload's SVIDs and bundles as Envoy's secrets, each once under each name that was asked for.
 *
 * Throws `VouchsafeError` (`invalid-request`) when the workload has no secret of a name.
 */
export function secretsOf(
  { grants: { svids }, privateKey, bundle, federated }: X509Update,
  { names, takesSpiffeValidator }: SecretRequest,
): Any[] {
  const bundles = [bundle, ...federated];
  const certificate = (svid: X509Grant) => tlsCertificate(svid, privateKey);
  const validation = (one: TrustBundle) => (takesSpiffeValidator ? spiffeValidation([one]) : trustedCa(one));

  const secrets = new Map<string, () => SecretContent>();
  for (const one of bundles) secrets.set(spiffeId(one.trustDomain, ""), () => validation(one));
  for (const svid of svids) secrets.set(svid.spiffeId, () => certificate(svid));
  const wanted = names.filter((name) => name !== "");
  const all = [...secrets.keys()];

  const [first] = svids;
  if (first !== undefined) secrets.set(DEFAULT_SVID, () => certificate(first));
  secrets.set(DEFAULT_BUNDLE, () => validation(bundle));
  // One list of authorities for several trust domains would let each vouch for the others.
  if (takesSpiffeValidator) secrets.set(ALL_BUNDLES, () => spiffeValidation(bundles));

  return [...new Set(wanted.length > 0 ? wanted : all)].map((name) => {
    const content = secrets.get(name);
    if (content === undefined) {
      throw new VouchsafeError("invalid-request", `The workload has no secret ${JSON.stringify(name)}`);
    }
    return packed(SecretSchema, { name, type: content() });
  });
}

type SecretContent = NonNullable<MessageInitShape<typeof SecretSchema>["type"]>;

function tlsCertificate({ chain }: X509Grant, privateKey: Uint8Array): SecretContent {
  return {
    case: "tlsCertificate",
    value: {
      certificateChain: inline(chain.map((der) => writePem("CERTIFICATE", der))),
      privateKey: inline([writePem("PRIVATE KEY", privateKey)]),
    },
  };
}

function trustedCa(bundle: TrustBundle): SecretContent {
  return { case: "validationContext", value: { trustedCa: authoritiesOf(bundle) } };
}

/** tls_spiffe_validator_config.proto: the name of a trust domain without `spiffe://`. */
function spiffeValidation(bundles: readonly TrustBundle[]): SecretContent {
  const trustDomains = bundles.map((one) => ({ name: one.trustDomain, trustBundle: authoritiesOf(one) }));
  const typedConfig = packed(SPIFFECertValidatorConfigSchema, { trustDomains });
  return {
    case: "validationContext",
    value: { customValidatorConfig: { name: SPIFFE_VALIDATOR, typedConfig } },
  };
}

function authoritiesOf({ x509Authorities }: TrustBundle) {
  return inline(x509Authorities.map(({ der }) => writePem("CERTIFICATE", der)));
}

function inline(pem: readonly string[]) {
  return { inlineBytes: new TextEncoder().encode(pem.join("")) };
}

function packed<T extends DescMessage>(schema: T, content: MessageInitShape<T>): Any {
  return anyPack(schema, create(schema, content));
}

import { PUBLIC_ONLY, readOutboundRules } from "../../outbound/rules.ts";
import { optional, setting } from "../setting.ts";
import { listOf, text } from "../values.ts";

const hosts = listOf(
  "must be a list of hosts without scheme and port, addresses or CIDR blocks",
  PUBLIC_ONLY,
  (entries) => {
    const { rules, refused } = readOutboundRules(entries);
    return refused.length === 0 ? rules : undefined;
  },
);

/** As URLs have them: lower case, and no port that goes without saying. */
const places = listOf<readonly string[]>(
  "must be a list of hosts in lower case, without scheme and each with its port where that is not 443",
  [],
  (entries) => (entries.every((one) => URL.parse(`https://${one}`)?.host === one) ? entries : undefined),
);

/** Where a node goes that others name. */
export const OUTBOUND = {
  outbound: optional(
    "VOUCHSAFE_OUTBOUND_PRIVATE",
    "outbound.private",
    hosts,
    "none",
    "comma-separated names of hosts, addresses and CIDR blocks that may be asked although they are not public, and also by plain `http`. All [other hosts that callers or policies name](operations.md#where-a-node-goes) are asked only by `https` at public addresses",
  ),
  discoveryHosts: setting(
    "VOUCHSAFE_DISCOVERY_HOSTS",
    "discovery.hosts",
    places,
    "registry.npmjs.org,pypi.org,api.github.com,ghcr.io,docker.io,quay.io,gcr.io,registry.k8s.io,public.ecr.aws,mcr.microsoft.com",
    "comma-separated hosts, with their ports, at which callers may have evidence [looked for](discovery.md); Docker Hub is `docker.io`",
  ),
  discoveryCredentials: optional(
    "VOUCHSAFE_DISCOVERY_CREDENTIALS",
    "discovery.credentials",
    text,
    "none",
    "a Docker `config.json` with [credentials of those hosts](discovery.md#credentials), used for the project `default` alone",
  ),
};

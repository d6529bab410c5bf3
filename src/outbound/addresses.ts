import { type BlockList, isIPv4, isIPv6 } from "node:net";
import { blockList, embeddedIpv4 } from "../ip-address.ts";

/**
 * What of IPv4 is nobody's public server (IANA IPv4 Special-Purpose Address Registry, RFC 6890, RFC 5771), and what
 * answers a cloud's machines about themselves at an address that looks public.
 */
const NOT_PUBLIC_IPV4 = [
  "0.0.0.0/8", // this network
  "10.0.0.0/8",
  "100.64.0.0/10", // carriers' NAT
  "127.0.0.0/8",
  "168.63.129.16/32", // Azure's machines ask it for their secrets
  "169.254.0.0/16", // link-local, and where clouds keep their metadata
  "172.16.0.0/12",
  "192.0.0.0/24", // protocols' assignments
  "192.0.2.0/24", // documentation
  "192.88.99.0/24", // relays of 6to4
  "192.168.0.0/16",
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, broadcast
];

/** What there is in 2000::/3 that is no server's; all outside of it is no global unicast at all (RFC 4291 §2.4). */
const NOT_PUBLIC_IPV6 = [
  "2001::/23", // protocols' assignments: Teredo, benchmarks, ORCHID
  "2001:db8::/32", // documentation
  "3fff::/20", // documentation
];

const notPublic = blockList([...NOT_PUBLIC_IPV4, ...NOT_PUBLIC_IPV6]);
const globalUnicast = blockList(["2000::/3"]);

/** Whether a server of everybody's may stand at the address. What is not an address is not public. */
export function isPublicAddress(address: string): boolean {
  const leadsTo = embeddedIpv4(address) ?? address;
  if (isIPv4(leadsTo)) return !notPublic.check(leadsTo, "ipv4");
  return isIPv6(leadsTo) && globalUnicast.check(leadsTo, "ipv6") && !notPublic.check(leadsTo, "ipv6");
}

/** Whether the list holds the address, or the IPv4 address that it stands for. */
export function holdsAddress(list: BlockList, address: string): boolean {
  const leadsTo = embeddedIpv4(address) ?? address;
  if (isIPv4(leadsTo)) return list.check(leadsTo, "ipv4");
  return isIPv6(leadsTo) && list.check(leadsTo, "ipv6");
}

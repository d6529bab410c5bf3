import { BlockList, isIPv4, isIPv6 } from "node:net";

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

const notPublic = listOf([...NOT_PUBLIC_IPV4, ...NOT_PUBLIC_IPV6]);
const globalUnicast = listOf(["2000::/3"]);

/** Where an IPv6 address carries the IPv4 address that it leads to, counted in 16-bit groups. */
const EMBEDDING = [
  { prefix: listOf(["::ffff:0:0/96"]), group: 6 }, // IPv4-mapped, RFC 4291 §2.5.5.2
  { prefix: listOf(["64:ff9b::/96"]), group: 6 }, // NAT64, RFC 6052
  { prefix: listOf(["2002::/16"]), group: 1 }, // 6to4, RFC 3056
];

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

/** Adds an address or a CIDR block; false, and nothing added, for what is neither. */
export function addBlock(list: BlockList, block: string): boolean {
  const [, address = "", bits] = /^([0-9A-Fa-f.:]+)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(block) ?? [];
  const most = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  const prefix = bits === undefined ? most : Number(bits);
  if (prefix < 0 || prefix > most) return false;
  list.addSubnet(address, prefix, most === 32 ? "ipv4" : "ipv6");
  return true;
}

function listOf(blocks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const block of blocks) if (!addBlock(list, block)) throw new RangeError(`${block} is no CIDR block`);
  return list;
}

function embeddedIpv4(address: string): string | undefined {
  if (!isIPv6(address)) return undefined;
  const found = EMBEDDING.find(({ prefix }) => prefix.check(address, "ipv6"));
  if (found === undefined) return undefined;
  const groups = groupsOf(address).slice(found.group, found.group + 2);
  return groups.flatMap((group) => [group >> 8, group & 0xff]).join(".");
}

/** The eight groups of an IPv6 address, which `isIPv6` has taken. */
function groupsOf(address: string): number[] {
  const [withoutZone = ""] = address.split("%");
  // The URL parser writes the last 32 bits of `::ffff:10.0.0.1` as groups too (WHATWG URL §3.5).
  const written = new URL(`http://[${withoutZone}]`).hostname.slice(1, -1);
  const [head = "", tail] = written.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array<string>(8 - before.length - after.length).fill("0");
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
}

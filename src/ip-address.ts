import { BlockList, isIPv4, isIPv6 } from "node:net";

/** Where an IPv6 address carries the IPv4 address that it leads to, counted in 16-bit groups. */
const EMBEDDING = [
  { prefix: blockList(["::ffff:0:0/96"]), group: 6 }, // IPv4-mapped, RFC 4291 §2.5.5.2
  { prefix: blockList(["64:ff9b::/96"]), group: 6 }, // NAT64, RFC 6052
  { prefix: blockList(["2002::/16"]), group: 1 }, // 6to4, RFC 3056
];

const MAPPED = "::ffff:";

/** Groups of an IPv6 address that say which network it is in: the other 64 bits a host chooses itself (RFC 4291 §2.5.4). */
const NETWORK_GROUPS = 4;

/**
 * What addresses are counted by: an IPv4 address, or the /64 of an IPv6 address, since whoever has one of those has all
 * of them. What stands for an IPv4 address counts as that. All whose address nobody knows count as one.
 *
 * @param address undefined of a client who left before it was asked for, whatever the types of a request say
 */
export function networkOf(address: string | undefined): string {
  if (address === undefined) return "gone";
  // As Node writes the address of an IPv4 client on a socket of both kinds: a fortieth of what reading it takes.
  const mapped = address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address;
  if (isIPv4(mapped)) return mapped;
  if (!isIPv6(address)) return address;
  const network = () => groupsOf(address).slice(0, NETWORK_GROUPS);
  return (
    embeddedIpv4(address) ??
    `${network()
      .map((group) => group.toString(16))
      .join(":")}::/64`
  );
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

export function blockList(blocks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const block of blocks) if (!addBlock(list, block)) throw new RangeError(`${block} is no CIDR block`);
  return list;
}

/** The IPv4 address that an IPv6 address stands for, if it does. */
export function embeddedIpv4(address: string): string | undefined {
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

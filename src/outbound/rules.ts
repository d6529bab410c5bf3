import { BlockList } from "node:net";
import { addBlock } from "../ip-address.ts";
import { holdsAddress, isPublicAddress } from "./addresses.ts";

/** Where this installation goes besides public https servers: what `VOUCHSAFE_OUTBOUND_PRIVATE` names. */
export interface OutboundRules {
  /** Names in lower case. */
  readonly privateHosts: ReadonlySet<string>;
  readonly privateBlocks: BlockList;
}

const NAME = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

/** Reads names of hosts, addresses and CIDR blocks; `refused` holds what is none of these. */
export function readOutboundRules(entries: readonly string[]): {
  readonly rules: OutboundRules;
  readonly refused: readonly string[];
} {
  const privateBlocks = new BlockList();
  const notBlocks = entries.map((entry) => entry.toLowerCase()).filter((e) => !addBlock(privateBlocks, e));
  // What ends in a number is an address that is written wrong (WHATWG URL §3.5).
  const isName = (entry: string) => NAME.test(entry) && !/(^|\.)[0-9]+$/.test(entry);
  return {
    rules: { privateHosts: new Set(notBlocks.filter(isName)), privateBlocks },
    refused: notBlocks.filter((entry) => !isName(entry)),
  };
}

/** Public servers by https, and nothing else. */
export const PUBLIC_ONLY: OutboundRules = readOutboundRules([]).rules;

/** How a host at some addresses may be asked. */
export type Standing = "public" | "private" | "refused";

/**
 * How a host may be asked whose name leads to the addresses (all that were resolved, as whoever rules the name chooses
 * which of them is taken): `private`, as it is named in the configuration, or lies in what is named there.
 */
export function standingOf(host: string, addresses: readonly string[], rules: OutboundRules): Standing {
  if (addresses.length === 0) return "refused";
  const isNamed = rules.privateHosts.has(host);
  if (isNamed || addresses.every((address) => holdsAddress(rules.privateBlocks, address))) return "private";
  return addresses.every(isPublicAddress) ? "public" : "refused";
}

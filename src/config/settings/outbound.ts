import { PUBLIC_ONLY, readOutboundRules } from "../../outbound/rules.ts";
import { optional } from "../setting.ts";
import { listOf } from "../values.ts";

const hosts = listOf(
  "must be a list of hosts without scheme and port, addresses or CIDR blocks",
  PUBLIC_ONLY,
  (entries) => {
    const { rules, refused } = readOutboundRules(entries);
    return refused.length === 0 ? rules : undefined;
  },
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
};

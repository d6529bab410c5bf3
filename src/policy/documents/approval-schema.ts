import type { ApprovalRule, ApproverRule } from "../policy.ts";
import {
  duration,
  integer,
  list,
  optional,
  pattern,
  type Reader,
  record,
  required,
  text,
} from "./readers.ts";
import { CERTIFIED, certifiedSigner } from "./rule-schema.ts";

const MAX_APPROVERS = 16;

const writtenApprover = record(
  {
    approver: optional(pattern),
    ...CERTIFIED,
    key: optional(text),
  },
  ({ approver, issuer, identity, instance, key }) => {
    const certified = issuer ?? identity ?? instance;
    const isWhole = certified === undefined || (issuer !== undefined && identity !== undefined);
    const ways = [approver, key, certified].filter((way) => way !== undefined).length;
    if (ways === 1 && isWhole) return undefined;
    return "an approver is either `approver` (a token's name), or `issuer` with `identity`, or `key`";
  },
);

const approver: Reader<ApproverRule> = (source, node, parent) => {
  const written = writtenApprover(source, node, parent);
  if (written === undefined) return undefined;
  const { approver, key, ...certified } = written;
  if (approver !== undefined) return { case: "token", name: approver };
  if (key !== undefined) return { case: "key", name: key };
  return certifiedSigner(certified);
};

/** How long is asked for in every case: an approval that never ends would outlive what its approver knew. */
export const approvals: Reader<ApprovalRule> = record({
  required: required(integer(1, MAX_APPROVERS)),
  from: required(list(approver)),
  expiresAfter: required(duration),
});

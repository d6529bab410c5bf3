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

const MAX_APPROVERS = 16;

const writtenApprover = record(
  {
    approver: optional(pattern),
    issuer: optional(pattern),
    identity: optional(pattern),
    key: optional(text),
  },
  ({ approver, issuer, identity, key }) => {
    const ways = [approver, key, issuer ?? identity].filter((way) => way !== undefined).length;
    if (ways === 1 && (issuer === undefined) === (identity === undefined)) return undefined;
    return "an approver is either `approver` (a token's name), or `issuer` with `identity`, or `key`";
  },
);

const approver: Reader<ApproverRule> = (source, node, parent) => {
  const written = writtenApprover(source, node, parent);
  if (written === undefined) return undefined;
  const { approver, issuer, identity, key } = written;
  if (approver !== undefined) return { case: "token", name: approver };
  if (key !== undefined) return { case: "key", name: key };
  return issuer && identity && { case: "certificate", issuer, identity };
};

/** How long is asked for in every case: an approval that never ends would outlive what its approver knew. */
export const approvals: Reader<ApprovalRule> = record({
  required: required(integer(1, MAX_APPROVERS)),
  from: required(list(approver)),
  expiresAfter: required(duration),
});

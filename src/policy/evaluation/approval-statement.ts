import {
  AttestationFormatError,
  type Digest,
  isJsonObject,
  type JsonValue,
  parseDigest,
} from "../../in-toto-attestation/index.ts";
import type { Facts } from "../facts.ts";
import { personOf } from "../person.ts";
import type { ApprovalRule, VerificationPolicy } from "../policy.ts";
import type { AttestedApproval } from "../types.ts";
import { isSignedBy } from "./signed-by.ts";

/** in-toto Statements by which somebody approves an artifact (docs/approvals.md). They are evidence of nothing else. */
export const APPROVAL_PREDICATE_TYPE = "https://vouchsafe.dev/approval/v1";

interface ApprovalStatement {
  readonly policy: string;
  readonly policyHash: Digest;
  readonly attestations: readonly Digest[];
  readonly withdrawn: boolean;
}

/** What one who may approve said, and when; `read` is undefined where it cannot be read. */
interface SignedStatement extends AttestedApproval {
  readonly read: ApprovalStatement | undefined;
  readonly person: string;
}

const MAX_ATTESTATIONS = 1024;

/**
 * The approval attestations that approve what passed the policy on these attestations. Of what one signer says of the
 * policy only the newest counts, so that a newer statement withdraws or replaces an older one, also one that cannot be read:
 * it may be meant to. What has no trusted time has no age, and counts nowhere.
 */
export function attestedApprovals(
  { name, hash }: Pick<VerificationPolicy, "name" | "hash">,
  rule: ApprovalRule,
  statements: readonly Facts[],
  attestations: readonly Digest[],
): AttestedApproval[] {
  const said = statements
    .flatMap((facts) => readStatement(facts, rule) ?? [])
    .filter(({ read }) => read === undefined || read.policy === name);
  const newest = new Map<string, number>();
  for (const { person, signedAt } of said) {
    newest.set(person, Math.max(signedAt, newest.get(person) ?? signedAt));
  }
  const current = said.filter(({ person, signedAt }) => signedAt === newest.get(person));
  const approves = ({ read }: SignedStatement) =>
    read !== undefined &&
    !read.withdrawn &&
    read.policyHash === hash &&
    isSameBasis(read.attestations, attestations);
  // Of two at the same instant that say different things none is the newer.
  const objecting = new Set(current.flatMap((one) => (approves(one) ? [] : [one.person])));
  return current
    .filter(({ person }) => !objecting.has(person))
    .map(({ attestation, approver, signedAt }) => ({ attestation, approver, signedAt }))
    .sort((a, b) => (a.attestation < b.attestation ? -1 : 1));
}

/** Whether two lists name the same attestations. */
export function isSameBasis(some: readonly Digest[], others: readonly Digest[]): boolean {
  const [first, second] = [new Set(some), new Set(others)];
  return first.size === second.size && [...first].every((id) => second.has(id));
}

/** What one who may approve says, at a time that is known. */
function readStatement(
  { signer, signedAt, attestation, predicateType, predicate }: Facts,
  { from }: ApprovalRule,
): SignedStatement | undefined {
  const approver = signer.key ?? signer.identity;
  const isAllowed = from.some((rule) => rule.case !== "token" && isSignedBy(rule, { signer }));
  if (predicateType !== APPROVAL_PREDICATE_TYPE || !isAllowed) return undefined;
  if (approver === undefined || signedAt === undefined) return undefined;
  return { read: readApproval(predicate), attestation, approver, signedAt, person: personOf(approver) };
}

/** Strict: what has a member that is not known here may mean something else. */
function readApproval(predicate: JsonValue | undefined): ApprovalStatement | undefined {
  if (!isJsonObject(predicate)) return undefined;
  const { policy, attestations, reason, withdrawn = false, ...others } = predicate;
  if (Object.keys(others).length > 0 || typeof withdrawn !== "boolean") return undefined;
  if (reason !== undefined && typeof reason !== "string") return undefined;
  if (!isJsonObject(policy) || typeof policy.name !== "string") return undefined;
  if (!Array.isArray(attestations) || attestations.length > MAX_ATTESTATIONS) return undefined;
  const policyHash = digestOf(policy);
  const ids = attestations.map(digestOf);
  if (policyHash === undefined || !ids.every((id) => id !== undefined)) return undefined;
  return { policy: policy.name, policyHash, attestations: ids, withdrawn };
}

/** The sha256 of a ResourceDescriptor. */
function digestOf(descriptor: JsonValue): Digest | undefined {
  const digest = isJsonObject(descriptor) ? descriptor.digest : undefined;
  if (!isJsonObject(digest) || typeof digest.sha256 !== "string") return undefined;
  try {
    return parseDigest(`sha256:${digest.sha256}`);
  } catch (error) {
    if (error instanceof AttestationFormatError) return undefined;
    throw error;
  }
}

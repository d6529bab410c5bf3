// What the API answers about approvals and exceptions (`types.ts`).

export interface Approval {
  readonly id: string;
  readonly artifact: string;
  readonly policy: string;
  readonly policyHash: string;
  /** The evidence that it is of. */
  readonly attestations: readonly string[];
  /** The name of the token that gave it. */
  readonly approver: string;
  readonly reason: string | null;
  readonly index: number;
}

/** `policyHash` and `attestations`: what was looked at, so that nothing else is approved in its place. */
export interface ApprovalToGrant {
  readonly policy: string;
  readonly reason?: string;
  readonly policyHash?: string;
  readonly attestations?: readonly string[];
}

export interface Approvals {
  readonly artifact: string;
  readonly approvals: readonly Approval[];
  /** Of each policy that asks for approvals and that the artifact passes now. */
  readonly policies: readonly {
    readonly policy: string;
    readonly policyHash: string;
    readonly attestations: readonly string[];
    readonly required: number;
    readonly approved: boolean;
    readonly counted: readonly { readonly approver: string; readonly until: string }[];
    readonly discounted: readonly { readonly approver: string; readonly why: string }[];
  }[];
}

export interface Exception {
  readonly id: string;
  readonly artifact: string;
  readonly policy: string;
  readonly reason: string;
  /** Who answers for it. */
  readonly owner: string;
  readonly expiresAt: string;
  readonly index: number;
}

export type ExceptionToGrant = Pick<Exception, "policy" | "reason" | "owner" | "expiresAt">;

/**
 * The claims of a GitHub Actions OIDC token, as Fulcio copies them into certificates
 * (docs.github.com, "OpenID Connect reference"; sigstore/fulcio docs/oid-info.md).
 */
export interface ActionsClaims {
  readonly iss: string;
  readonly sub: string;
  readonly repository: string;
  readonly repository_id: string;
  readonly repository_owner: string;
  readonly repository_owner_id: string;
  readonly repository_visibility: string;
  readonly ref: string;
  readonly sha: string;
  readonly workflow: string;
  readonly workflow_ref: string;
  readonly workflow_sha: string;
  readonly job_workflow_ref: string;
  readonly job_workflow_sha: string;
  readonly event_name: string;
  readonly run_id: string;
  readonly run_attempt: string;
  readonly runner_environment: string;
}

/** What tells one build from another; everything else follows from it. */
export interface ActionsRun {
  readonly repository?: string;
  readonly ref?: string;
  readonly sha?: string;
  /** Path of the workflow in its repository. */
  readonly workflow?: string;
  /** `owner/repo/path@ref` of the workflow that ran the job, where it is a reusable one. */
  readonly jobWorkflowRef?: string;
  readonly issuer?: string;
  readonly event?: string;
  readonly runId?: string;
  readonly runnerEnvironment?: "github-hosted" | "self-hosted";
}

export const ACTIONS_ISSUER = "https://token.actions.githubusercontent.com";

/** Claims of a release build of `acme/widget` from its main branch, changed by what `run` says. */
export function actionsClaims(run: ActionsRun = {}): ActionsClaims {
  const repository = run.repository ?? "acme/widget";
  const ref = run.ref ?? "refs/heads/main";
  const sha = run.sha ?? "7f3a1c5be0d94a2f8c6e1b0d3a5f7c9e2b4d6f80";
  const workflowRef = `${repository}/${run.workflow ?? ".github/workflows/release.yml"}@${ref}`;
  return {
    iss: run.issuer ?? ACTIONS_ISSUER,
    sub: `repo:${repository}:ref:${ref}`,
    repository,
    repository_id: "716523",
    repository_owner: repository.split("/", 1)[0] ?? repository,
    repository_owner_id: "90210",
    repository_visibility: "public",
    ref,
    sha,
    workflow: "release",
    workflow_ref: workflowRef,
    workflow_sha: sha,
    job_workflow_ref: run.jobWorkflowRef ?? workflowRef,
    job_workflow_sha: sha,
    event_name: run.event ?? "push",
    run_id: run.runId ?? "1000001",
    run_attempt: "1",
    runner_environment: run.runnerEnvironment ?? "github-hosted",
  };
}

/** The identity that Fulcio gives such a run: the URI of the workflow that ran the job. */
export function actionsIdentity(claims: ActionsClaims): string {
  return `https://github.com/${claims.job_workflow_ref}`;
}

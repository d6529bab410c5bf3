import { join, relative } from "node:path";
import { audienceOf, checkedToken } from "../cli/credentials/checked-token.ts";
import { gitHubTokens, hasGitHubToken } from "../cli/credentials/github-token.ts";
import { type PushResult, pushFiles } from "../cli/evidence/push-files.ts";
import { UsageError } from "../cli/usage-error.ts";
import { type Client, createClient } from "../client/client.ts";
import type { TokenSource } from "../client/token-source.ts";
import type { Receipt } from "../client/types.ts";
import { askUntilAllowed } from "./gate.ts";
import { filesMatching } from "./glob.ts";
import { type Inputs, readInputs } from "./inputs.ts";
import { parsePathList } from "./path-list.ts";
import type { Runner } from "./runner.ts";
import { canBeAsked, type Subject, subjectsOf, unique } from "./subjects.ts";
import { isAllowed, type Judged, summaryOf } from "./summary.ts";
import { tellFailure, tellJudged, tellPushed } from "./tell.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * One step of a workflow: pushes the evidence, asks for the verdict on each subject, and says what came of it in the log, the
 * summary, the outputs and as annotations.
 *
 * @returns whether the step succeeded: the evidence was taken, and all was allowed or `fail-on-deny` is false
 */
export async function act(env: Environment, runner: Runner, cwd: string): Promise<boolean> {
  try {
    const inputs = readInputs(env);
    const client = connect(inputs, env, runner);
    const named = await subjectsOf(inputs, cwd);
    const files = await bundlesIn(inputs, cwd);
    if (named === undefined && files.length === 0) {
      throw new UsageError("Give `bundle-path` to push evidence, a `subject-…` to ask about, or both");
    }
    const pushed = await push(client, files, runner);
    const judged = await judge(client, named ?? subjectsIn(pushed), pushed, inputs, runner);
    return conclude(inputs, pushed, judged, runner);
  } catch (error) {
    tellFailure(error, runner);
    return false;
  }
}

function connect(inputs: Inputs, env: Environment, runner: Runner): Client {
  const { server, project, token } = inputs;
  if (token !== undefined) runner.mask(token);
  const audience = inputs.audience ?? audienceOf(server, {});
  const credential =
    token === undefined ? jobToken(env, audience, runner) : checkedToken(token, "`token`", audience);
  const { TRACEPARENT: traceparent } = env;
  return createClient({
    server,
    token: credential,
    ...(project !== undefined && { project }),
    ...(traceparent && { traceparent }),
  });
}

function jobToken(env: Environment, audience: string, runner: Runner): TokenSource {
  if (!hasGitHubToken(env)) {
    throw new UsageError(
      "This job may not ask for an OIDC token. Add to the job in the workflow `permissions: { id-token: write, contents: read }`, " +
        "or give the step a `token`. GitHub gives none to workflows that a fork's pull request started.",
    );
  }
  return gitHubTokens(env, audience, runner.mask);
}

async function bundlesIn({ bundlePath }: Inputs, cwd: string): Promise<string[]> {
  if (bundlePath === undefined) return [];
  const files = await filesMatching(parsePathList(bundlePath), cwd);
  if (files.length === 0) throw new UsageError(`\`bundle-path\` matches no file: ${bundlePath}`);
  // As the workflow's author knows them.
  return files.map((file) => (file.startsWith(join(cwd, "/")) ? relative(cwd, file) : file));
}

async function push(client: Client, files: readonly string[], runner: Runner): Promise<PushResult[]> {
  const results: PushResult[] = [];
  for await (const ofFile of pushFiles(client, files, async (_, bytes) => bytes)) {
    for (const result of ofFile) tellPushed(result, runner);
    results.push(...ofFile);
  }
  return results;
}

/** Where the workflow names none: all that the evidence that was taken is about. */
function subjectsIn(pushed: readonly PushResult[]): Subject[] {
  return unique(
    pushed.flatMap((result) =>
      "attestation" in result
        ? result.attestation.subjects.map(({ name, digests }) => {
            // Other evidence may leave its further digests out; what stops one of them stops it, because this evidence names both.
            // One that cannot be asked about is never left out: it is not allowed.
            const digest = digests.find(canBeAsked) ?? digests[0] ?? "no digest";
            return { name: name ?? digest, digests: [digest] };
          })
        : [],
    ),
  );
}

async function judge(
  client: Client,
  subjects: readonly Subject[],
  pushed: readonly PushResult[],
  { policy, wait }: Inputs,
  runner: Runner,
): Promise<Judged[]> {
  const sizes = receiptsIn(pushed).map(({ index }) => index + 1);
  const decisions = await askUntilAllowed(
    client,
    subjects.map(({ digests }) => digests.filter(canBeAsked)),
    {
      ...(policy !== undefined && { policy }),
      // The answer is to know of what was pushed a moment ago, also where another node gives it.
      ...(sizes.length > 0 && { minSize: Math.max(...sizes) }),
      wait: wait * 1000,
      onWaiting: (denied) => runner.log(`${denied} of ${subjects.length} not allowed yet: waiting`),
    },
  );
  return subjects.map((subject, i) => {
    const decision = decisions[i];
    return { ...subject, ...(decision !== undefined && { decision }) };
  });
}

function receiptsIn(pushed: readonly PushResult[]): Receipt[] {
  return pushed.flatMap((result) => {
    if (result.status === "refused") return [];
    return ["manifest" in result ? result.manifest.receipt : result.receipt];
  });
}

function conclude(
  { server, failOnDeny }: Inputs,
  pushed: readonly PushResult[],
  judged: readonly Judged[],
  runner: Runner,
): boolean {
  const allowed = judged.length > 0 && judged.every(isAllowed);
  const denied = judged.length > 0 && !allowed;
  const taken = pushed.every(({ status }) => status !== "refused");
  for (const one of judged) tellJudged(one, failOnDeny, runner);
  if (judged.length === 0 && failOnDeny)
    runner.annotate(
      "error",
      "Vouchsafe",
      "No subject to ask about: the evidence names none by a strong digest",
    );
  runner.output("verdict", allowed ? "allow" : denied ? "deny" : "");
  runner.output("attestation-id", idsIn(pushed).join("\n"));
  runner.output(
    "receipt",
    receiptsIn(pushed)
      .map((receipt) => JSON.stringify(receipt))
      .join("\n"),
  );
  runner.summarize(summaryOf({ server, pushed, judged }));
  return taken && (allowed || !failOnDeny);
}

function idsIn(pushed: readonly PushResult[]): string[] {
  return pushed.flatMap((result) => ("attestation" in result ? [result.attestation.id] : []));
}

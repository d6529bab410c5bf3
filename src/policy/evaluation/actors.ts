import { isJsonObject, type JsonValue } from "../../in-toto-attestation/index.ts";
import type { Facts } from "../facts.ts";

const MAX_ACTORS = 32;
const MAX_NAME = 320;

/**
 * Under which names builders say who had them build: GitHub Actions (`github_actor` of slsa-github-generator, the
 * default environment variables, `actor` of the `github` context), GitLab's, Buildkite's and CircleCI's predefined
 * variables. Lower case: builders write them in either.
 */
const ACTOR_MEMBERS: ReadonlySet<string> = new Set([
  "actor",
  "actor_id",
  "triggering_actor",
  "github_actor",
  "github_actor_id",
  "github_triggering_actor",
  "github_triggering_actor_id",
  "gitlab_user_email",
  "gitlab_user_id",
  "gitlab_user_login",
  "gitlab_user_name",
  "buildkite_build_author",
  "buildkite_build_author_email",
  "buildkite_build_creator",
  "buildkite_build_creator_email",
  "circle_username",
]);

/** How deep below the parameters builders put them: `internalParameters.github.actor`. */
const MAX_DEPTH = 2;

/**
 * Who made an attestation and, as far as it says, who had the build run: the names whose approval of it is none. A
 * claim of the provenance can only take approvals away. Undefined where it names more than any builder does: whom to leave out,
 * nobody could say.
 */
export function actorsOf({ signer, provenance }: Facts): string[] | undefined {
  const said = [provenance?.internalParameters, provenance?.externalParameters].flatMap((parameters) =>
    actorsIn(parameters ?? null, MAX_DEPTH),
  );
  const signers = [signer.identity, signer.key].filter((name) => name !== undefined);
  const actors = new Set(said);
  return actors.size > MAX_ACTORS ? undefined : [...new Set([...signers, ...actors])].sort();
}

function actorsIn(value: JsonValue, depth: number): string[] {
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    if (isJsonObject(member)) return depth > 1 ? actorsIn(member, depth - 1) : [];
    if (!ACTOR_MEMBERS.has(name.toLowerCase())) return [];
    const text = typeof member === "number" ? String(member) : member;
    return typeof text === "string" && text !== "" && text.length <= MAX_NAME ? [text] : [];
  });
}

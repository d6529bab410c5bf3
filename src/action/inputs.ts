import { UsageError } from "../cli/usage-error.ts";
import { isHttpUrl } from "../http-url.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** What the workflow gave the step under `with:`; an input that is absent or empty is undefined. */
export interface Inputs {
  readonly subjectPath?: string;
  readonly subjectDigest?: string;
  readonly subjectName?: string;
  readonly subjectChecksums?: string;
  readonly bundlePath?: string;
  readonly server: string;
  readonly policy?: string;
  readonly project?: string;
  readonly audience?: string;
  readonly token?: string;
  /** Seconds to wait for an allow. */
  readonly wait: number;
  readonly failOnDeny: boolean;
}

/** Seconds. */
const LONGEST_WAIT = 3600;

/** The names in action.yml, which a test holds to this list. */
export const INPUT_NAMES = [
  "subject-path",
  "subject-digest",
  "subject-name",
  "subject-checksums",
  "bundle-path",
  "server",
  "policy",
  "project",
  "audience",
  "token",
  "wait",
  "fail-on-deny",
] as const;

type InputName = (typeof INPUT_NAMES)[number];

/** Reads the variables in which the runner hands over inputs. Throws `UsageError`. */
export function readInputs(env: Environment): Inputs {
  const server = read(env, "server");
  if (server === undefined) throw new UsageError("`server` is missing: the URL of a Vouchsafe server");
  if (!isHttpUrl(server)) {
    throw new UsageError("`server` is an https:// URL, such as https://vouchsafe.example.com");
  }
  return {
    ...given("subjectPath", read(env, "subject-path")),
    ...given("subjectDigest", read(env, "subject-digest")),
    ...given("subjectName", read(env, "subject-name")),
    ...given("subjectChecksums", read(env, "subject-checksums")),
    ...given("bundlePath", read(env, "bundle-path")),
    server,
    ...given("policy", read(env, "policy")),
    ...given("project", read(env, "project")),
    ...given("audience", read(env, "audience")),
    ...given("token", read(env, "token")),
    wait: secondsIn(read(env, "wait") ?? "0"),
    failOnDeny: booleanIn(read(env, "fail-on-deny") ?? "true"),
  };
}

/** The runner turns spaces into underscores, and letters into capitals; hyphens stay. */
function read(env: Environment, name: InputName): string | undefined {
  return env[`INPUT_${name.toUpperCase()}`]?.trim() || undefined;
}

function given<Name extends string>(
  name: Name,
  value: string | undefined,
): { readonly [_ in Name]?: string } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [_ in Name]?: string };
}

function secondsIn(text: string): number {
  const seconds = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(seconds <= LONGEST_WAIT))
    throw new UsageError(`\`wait\` is a number of seconds up to ${LONGEST_WAIT}, and not ${text}`);
  return seconds;
}

/** As YAML 1.2's core schema writes them, which is what actions take. */
function booleanIn(text: string): boolean {
  if (/^(true|True|TRUE)$/.test(text)) return true;
  if (/^(false|False|FALSE)$/.test(text)) return false;
  throw new UsageError(`\`fail-on-deny\` is true or false, and not ${text}`);
}

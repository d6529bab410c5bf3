import { compileGlob, GlobError } from "../../policy/glob.ts";
import type { ExpectedSigner, NamePattern } from "../../verify/expected-signer.ts";
import { UsageError } from "../usage-error.ts";
import { compileRegexp } from "./regexp.ts";
import { RegexpError } from "./regexp-syntax.ts";

/** Who may have signed by a certificate, as cosign (`certificate…`) and `gh attestation verify` (the others) have it said. */
export interface SignerOptions {
  readonly certificateIdentity?: string;
  readonly certificateIdentityGlob?: string;
  readonly certificateIdentityRegexp?: string;
  readonly certificateOidcIssuer?: string;
  readonly certificateOidcIssuerRegexp?: string;
  /** OWNER/REPO that the run was of; its workflows signed, unless others are named. */
  readonly repo?: string;
  readonly owner?: string;
  readonly signerRepo?: string;
  /** [HOST/]OWNER/REPO/PATH[@REF]. */
  readonly signerWorkflow?: string;
  readonly denySelfHostedRunners?: boolean;
}

export const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";
const GITHUB = "https://github.com";

/** Undefined where none of it is said. Throws `UsageError` for half of it, and for two answers to one question. */
export function certificateSigner(options: SignerOptions): ExpectedSigner | undefined {
  const { repo, owner, denySelfHostedRunners } = options;
  const named = oneOf(options, [
    ["--certificate-identity", "certificateIdentity", exactly],
    ["--certificate-identity-regexp", "certificateIdentityRegexp", regexp("--certificate-identity-regexp")],
    ["--certificate-identity-glob", "certificateIdentityGlob", glob("--certificate-identity-glob")],
    ["--signer-workflow", "signerWorkflow", workflow],
    ["--signer-repo", "signerRepo", (text) => within("--signer-repo", repository("--signer-repo", text))],
  ]);
  const runOf = oneOf(options, [
    ["--repo", "repo", (text) => within("--repo", repository("--repo", text))],
    ["--owner", "owner", (text) => within("--owner", account(text))],
  ]);
  const identity = named ?? runOf;
  const given = oneOf(options, [
    ["--certificate-oidc-issuer", "certificateOidcIssuer", exactly],
    [
      "--certificate-oidc-issuer-regexp",
      "certificateOidcIssuerRegexp",
      regexp("--certificate-oidc-issuer-regexp"),
    ],
  ]);
  if (identity === undefined) {
    if (given === undefined && denySelfHostedRunners === undefined) return undefined;
    throw new UsageError(
      "That says who vouches for the signer, or where it ran, and not who it is: add --certificate-identity, " +
        "--certificate-identity-regexp, --signer-workflow or --repo",
    );
  }
  const isGithubs = runOf !== undefined || (options.signerRepo ?? options.signerWorkflow) !== undefined;
  const issuer = given ?? (isGithubs ? exactly(GITHUB_ISSUER) : undefined);
  if (issuer === undefined) {
    throw new UsageError(
      "An identity is one only under its issuer: add --certificate-oidc-issuer, such as https://accounts.google.com",
    );
  }
  const claims = {
    ...(repo !== undefined && { sourceRepositoryUri: repository("--repo", repo) }),
    ...(owner !== undefined && { sourceRepositoryOwnerUri: account(owner) }),
    ...(denySelfHostedRunners && { runnerEnvironment: "github-hosted" }),
  };
  return { case: "certificate", issuer, identity, ...(Object.keys(claims).length > 0 && { claims }) };
}

type Read = (text: string) => NamePattern;

/** The pattern of the one option of these that is given. */
function oneOf(
  options: SignerOptions,
  among: readonly (readonly [string, keyof SignerOptions, Read])[],
): NamePattern | undefined {
  const given = among.flatMap(([flag, name, read]) => {
    const text = options[name];
    return typeof text === "string" ? [{ flag, text, read }] : [];
  });
  const [first, second] = given;
  if (second !== undefined) throw new UsageError(`Give ${first?.flag} or ${second.flag}, and not both`);
  return first?.read(first.text);
}

function exactly(text: string): NamePattern {
  return { text, matches: (name) => name === text };
}

function glob(flag: string): Read {
  return (text) => {
    try {
      return compileGlob(text);
    } catch (cause) {
      if (!(cause instanceof GlobError)) throw cause;
      throw new UsageError(`${flag}: ${cause.message}`, { cause });
    }
  };
}

function regexp(flag: string): Read {
  return (text) => {
    try {
      return compileRegexp(text);
    } catch (cause) {
      if (!(cause instanceof RegexpError)) throw cause;
      throw new UsageError(`${flag}: ${cause.message}`, { cause });
    }
  };
}

/** All that is there, and nothing that only begins like it. */
function within(flag: string, uri: string): NamePattern {
  return glob(flag)(`${uri}/**`);
}

/** Names of GitHub's accounts, repositories and files are of characters that globs take plainly. */
const NAME = "[A-Za-z0-9._-]+";
const REPOSITORY = new RegExp(`^${NAME}/${NAME}$`);
const WORKFLOW = new RegExp(`^(?:(${NAME}\\.${NAME})/)?(${NAME}/${NAME}(?:/${NAME})+)(@\\S+)?$`);

function repository(flag: string, text: string): string {
  if (REPOSITORY.test(text)) return `${GITHUB}/${text}`;
  throw new UsageError(`${flag} takes OWNER/REPO of github.com, such as acme/widget, and not ${text}`);
}

function account(text: string): string {
  if (new RegExp(`^${NAME}$`).test(text)) return `${GITHUB}/${text}`;
  throw new UsageError(`--owner takes the name of an organization or user of github.com, and not ${text}`);
}

function workflow(text: string): NamePattern {
  const [, host = "github.com", path, ref] = WORKFLOW.exec(text) ?? [];
  if (path === undefined) {
    throw new UsageError(
      `--signer-workflow takes OWNER/REPO/.github/workflows/FILE, with @REF or without, and not ${text}`,
    );
  }
  const uri = `https://${host}/${path}`;
  return ref === undefined ? glob("--signer-workflow")(`${uri}@**`) : exactly(`${uri}${ref}`);
}

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Credential, type Credentials, dockerCredentials } from "../../discovery/credentials.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const HELPER = /^[A-Za-z0-9._-]{1,64}$/;
const HELPER_TIME = 10_000;
/** What Docker Hub's credentials are kept under. */
const DOCKER_HUB = "https://index.docker.io/v1/";

/**
 * What the user has at hand for a registry: GITHUB_TOKEN or GH_TOKEN for GitHub's API, and what Docker's `config.json`
 * (in DOCKER_CONFIG, or ~/.docker) holds or has a credential helper keep.
 */
export function userCredentials(env: Environment): Credentials {
  return async (host) => {
    const token = env.GH_TOKEN || env.GITHUB_TOKEN;
    if (host === "api.github.com") return token ? { username: "token", password: token } : undefined;
    const file = await readFile(join(env.DOCKER_CONFIG || join(homedir(), ".docker"), "config.json")).catch(
      () => undefined,
    );
    if (file === undefined) return undefined;
    const known = dockerCredentials(file).get(host);
    if (known !== undefined) return known;
    const helper = helperFor(file, host);
    return helper === undefined ? undefined : askHelper(helper, host === "docker.io" ? DOCKER_HUB : host);
  };
}

function helperFor(file: Uint8Array, host: string): string | undefined {
  const { credHelpers = {}, credsStore }: { credHelpers?: Record<string, unknown>; credsStore?: unknown } =
    JSON.parse(Buffer.from(file).toString());
  const helper = Object.hasOwn(credHelpers, host) ? credHelpers[host] : credsStore;
  return typeof helper === "string" && HELPER.test(helper) ? helper : undefined;
}

/** docker/docker-credential-helpers: `get` with the server on stdin. A helper that has nothing, or is not there, gives nothing. */
function askHelper(helper: string, server: string): Promise<Credential | undefined> {
  return new Promise((resolve) => {
    const child = execFile(
      `docker-credential-${helper}`,
      ["get"],
      { timeout: HELPER_TIME },
      (error, stdout) => resolve(error ? undefined : credentialIn(stdout)),
    );
    child.stdin?.on("error", () => {}).end(server);
  });
}

function credentialIn(text: string): Credential | undefined {
  try {
    const { Username: username, Secret: password } = JSON.parse(text);
    // `<token>` is an identity token, to be traded for another by POST.
    const isPair = typeof username === "string" && typeof password === "string" && username !== "<token>";
    return isPair ? { username, password } : undefined;
  } catch {
    return undefined;
  }
}

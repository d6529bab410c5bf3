import { VouchsafeError } from "../errors.ts";
import {
  AttestationFormatError,
  isJsonObject,
  type JsonValue,
  parseJson,
} from "../in-toto-attestation/index.ts";

export interface Credential {
  readonly username: string;
  /** Or a token, which GitHub's API takes by itself. */
  readonly password: string;
}

/** Credentials by the host of a reference; undefined: it is asked as everybody may ask. */
export type Credentials = (host: string) => Promise<Credential | undefined>;

export const NO_CREDENTIALS: Credentials = async () => undefined;

/**
 * Credentials of a Docker `config.json` (docker/cli, configfile: `auths`), which Kubernetes keeps as secrets of type
 * `kubernetes.io/dockerconfigjson`. Entries without `auth`, or `username` and `password`, are none.
 *
 * @throws VouchsafeError `configuration-invalid`, which quotes nothing of it
 */
export function dockerCredentials(file: Uint8Array): ReadonlyMap<string, Credential> {
  const json = jsonIn(file);
  const auths = isJsonObject(json) ? (json.auths ?? {}) : undefined;
  if (!isJsonObject(auths)) throw invalid();
  return new Map(
    Object.entries(auths).flatMap(([key, entry]) => {
      const credential = credentialIn(entry);
      return credential === undefined ? [] : [[hostOf(key), credential] as const];
    }),
  );
}

/** `https://index.docker.io/v1/` is what Docker Hub's are kept under. */
function hostOf(key: string): string {
  const host =
    key
      .replace(/^https?:\/\//, "")
      .split("/", 1)[0]
      ?.toLowerCase() ?? "";
  return /^(index|registry-1)\.docker\.io$/.test(host) ? "docker.io" : host;
}

function credentialIn(entry: JsonValue): Credential | undefined {
  if (!isJsonObject(entry)) throw invalid();
  const { auth, username, password } = entry;
  if (typeof username === "string" && typeof password === "string") return { username, password };
  if (typeof auth !== "string" || auth === "") return undefined;
  const [, name, secret] = /^([^:]*):(.*)$/s.exec(Buffer.from(auth, "base64").toString()) ?? [];
  if (name === undefined || secret === undefined) throw invalid();
  return { username: name, password: secret };
}

function jsonIn(file: Uint8Array): JsonValue {
  try {
    return parseJson(file);
  } catch (cause) {
    // Its message may quote the file.
    if (cause instanceof AttestationFormatError) throw invalid();
    throw cause;
  }
}

function invalid(): VouchsafeError {
  return new VouchsafeError(
    "configuration-invalid",
    "The file of registries' credentials is no Docker config.json",
  );
}

import { VouchsafeError } from "../errors.ts";
import { AttestationFormatError, type Digest, parseDigest } from "../in-toto-attestation/index.ts";

/** Where evidence may be, as a caller writes it. `host` is what an installation allows. */
export type Reference =
  | {
      readonly case: "oci";
      /** As written: with its port, `docker.io` for Docker Hub. */
      readonly host: string;
      readonly repository: string;
      readonly tag?: string;
      readonly digest?: Digest;
    }
  | {
      readonly case: "npm";
      readonly host: string;
      readonly base: string;
      readonly name: string;
      readonly version: string;
    }
  | {
      readonly case: "pypi";
      readonly host: string;
      readonly base: string;
      readonly project: string;
      readonly version: string;
      readonly file?: string;
    }
  | {
      readonly case: "github";
      readonly host: string;
      readonly base: string;
      readonly owner: string;
      /** Absent: all that the organisation or the user has. */
      readonly repository?: string;
    };

export const MAX_REFERENCE = 1024;

/** distribution-spec, "Pulling manifests": <name> and <reference>. */
const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const OCI = new RegExp(
  `^oci://([A-Za-z0-9.-]+(?::[0-9]{1,5})?|\\[[0-9a-f:.]+\\](?::[0-9]{1,5})?)/(${COMPONENT}(?:/${COMPONENT})*)` +
    "(?::([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?(?:@([a-z0-9]+:[0-9a-f]+))?$",
);
const NPM =
  /^npm:((?:@[a-z0-9~-][a-z0-9._~-]{0,100}\/)?[A-Za-z0-9~_-][A-Za-z0-9._~-]{0,213})@([0-9A-Za-z.+-]{1,100})$/;
const PYPI =
  /^pypi:([A-Za-z0-9](?:[A-Za-z0-9._-]{0,100}[A-Za-z0-9])?)@([A-Za-z0-9.!+_-]{1,100})(?:\/([A-Za-z0-9][A-Za-z0-9._+!-]{0,255}))?$/;
const GITHUB = /^github:([A-Za-z0-9](?:[A-Za-z0-9_-]{0,99}))(?:\/([A-Za-z0-9._-]{1,100}))?$/;

/** Where each of the three is unless the reference says `?repository_url=` (package-url, PURL-SPECIFICATION: qualifiers). */
const PUBLIC = {
  npm: "https://registry.npmjs.org",
  pypi: "https://pypi.org",
  github: "https://api.github.com",
} as const;

/**
 * Reads `oci://HOST/REPOSITORY[:TAG][@DIGEST]`, `npm:NAME@VERSION`, `pypi:PROJECT@VERSION[/FILE]` or
 * `github:OWNER[/REPOSITORY]`; the latter three may end in `?repository_url=` and the https URL of another server that
 * speaks the same protocol.
 *
 * @throws VouchsafeError `invalid-request`
 */
export function parseReference(text: string): Reference {
  if (text.length > MAX_REFERENCE) throw unreadable("a reference", "it is too long");
  if (text.startsWith("oci://")) return ociReference(text);
  const [name = "", at, ...more] = text.split("?repository_url=");
  if (more.length > 0) throw unreadable(text, "it names two servers");
  const npm = NPM.exec(name);
  if (npm?.[1] && npm[2])
    return { case: "npm", ...serverOf(text, at, PUBLIC.npm), name: npm[1], version: npm[2] };
  const pypi = PYPI.exec(name);
  if (pypi?.[1] && pypi[2]) {
    const project = pypi[1].toLowerCase().replace(/[-_.]+/g, "-");
    const file = pypi[3] === undefined ? {} : { file: pypi[3] };
    return { case: "pypi", ...serverOf(text, at, PUBLIC.pypi), project, version: pypi[2], ...file };
  }
  const github = GITHUB.exec(name);
  if (github?.[1] && !/^\.+$/.test(github[2] ?? "")) {
    const repository = github[2] === undefined ? {} : { repository: github[2] };
    return { case: "github", ...serverOf(text, at, PUBLIC.github), owner: github[1], ...repository };
  }
  throw unreadable(
    text,
    "write oci://HOST/REPOSITORY:TAG, npm:NAME@VERSION, pypi:PROJECT@VERSION/FILE or github:OWNER/REPOSITORY",
  );
}

/** Whether an argument is meant as a reference, and not as a digest or a file. */
export function looksLikeReference(text: string): boolean {
  return /^(oci:\/\/|npm:|pypi:|github:)/.test(text);
}

function ociReference(text: string): Reference {
  const [, host, repository, tag, digest] = OCI.exec(text) ?? [];
  if (host === undefined || repository === undefined || repository.length > 255)
    throw unreadable(text, "write oci://HOST/REPOSITORY, and then :TAG, @DIGEST or both");
  const isHub = /^(index\.)?docker\.io$/i.test(host);
  return {
    case: "oci",
    host: isHub ? "docker.io" : host.toLowerCase(),
    repository: isHub && !repository.includes("/") ? `library/${repository}` : repository,
    ...(tag !== undefined && { tag }),
    ...(digest !== undefined && { digest: readDigest(text, digest) }),
  };
}

function readDigest(text: string, digest: string): Digest {
  try {
    return parseDigest(digest);
  } catch (cause) {
    if (cause instanceof AttestationFormatError) throw unreadable(text, cause.message);
    throw cause;
  }
}

function serverOf(text: string, at: string | undefined, otherwise: string): { host: string; base: string } {
  const url = URL.parse(at ?? otherwise);
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.search !== "" ||
    url.hash !== "" ||
    url.username !== ""
  )
    throw unreadable(text, "its repository_url is no plain http or https URL");
  return { host: url.host, base: url.href.replace(/\/$/, "") };
}

function unreadable(text: string, why: string): VouchsafeError {
  return new VouchsafeError("invalid-request", `${text} does not say where to look: ${why}`);
}

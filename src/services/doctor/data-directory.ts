import { readdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../config/config.ts";
import { bad, type Finding, ok, warning } from "./finding.ts";

const MIB = 1024 * 1024;
const LITTLE = 1024 * MIB;
const TOO_LITTLE = 64 * MIB;
/** What others must not read: group and others, any right. */
const OTHERS = 0o077;
/** What holds secrets in the data directory. */
const SECRET = /(\.pem|^operator-token)$/;

export async function lookAtDataDirectory(config: Config): Promise<readonly Finding[]> {
  const { dataDir } = config;
  const found = await stat(dataDir).catch(() => undefined);
  if (found === undefined)
    return [
      warning(
        "data-directory",
        `${dataDir} is not there`,
        "The first start makes it. If there was a first start, VOUCHSAFE_DATA_DIR names another directory than the server's.",
      ),
    ];
  if (!found.isDirectory())
    return [bad("data-directory", `${dataDir} is no directory`, "Set VOUCHSAFE_DATA_DIR.")];
  return [ownership(dataDir, found), await space(dataDir), ...(await secrets(config))];
}

function ownership(path: string, { mode, uid }: { readonly mode: number; readonly uid: number }): Finding {
  const self = process.getuid?.();
  if (self !== undefined && self !== 0 && uid !== self)
    return bad(
      "data-directory",
      `${path} belongs to user ${uid}, and this is user ${self}`,
      `chown it, or run as user ${uid}.`,
    );
  if ((mode & OTHERS) !== 0)
    return bad("data-directory", `others may enter ${path} (mode ${octal(mode)})`, `chmod 700 ${path}`);
  return ok("data-directory", `${path} is this user's own`);
}

async function space(path: string): Promise<Finding> {
  const { bavail, bsize } = await statfs(path);
  const free = bavail * bsize;
  const what = `${Math.floor(free / MIB)} MiB are free for ${path}`;
  if (free >= LITTLE) return ok("space", what);
  const advice = "Without space nothing is acknowledged: make room.";
  return free < TOO_LITTLE ? bad("space", what, advice) : warning("space", what, advice);
}

/** Of the files that hold keys and tokens: those that others may read. */
async function secrets(config: Config): Promise<readonly Finding[]> {
  const inDirectory = await readdir(config.dataDir, { recursive: true });
  const files = [
    ...inDirectory
      .filter((name) => !name.startsWith("pglite") && SECRET.test(name.split("/").at(-1) ?? ""))
      .map((name) => join(config.dataDir, name)),
    ...config.logKeyFiles,
    ...config.authorityFiles.flatMap(({ key, jwtKey }) => [key, jwtKey]),
    ...[config.summaryKeyFile, config.keyPassphraseFile].filter((path) => path !== undefined),
  ];
  const findings = await Promise.all(files.map(secret));
  const wrong = findings.filter((finding) => finding !== undefined);
  return wrong.length > 0 ? wrong : [ok("keys", `${files.length} files with secrets are this user's alone`)];
}

async function secret(path: string): Promise<Finding | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return warning("keys", `${path} is not there, or cannot be read`);
  if ((found.mode & OTHERS) === 0) return undefined;
  return bad(
    "keys",
    `others may read ${path} (mode ${octal(found.mode)})`,
    `chmod 600 ${path}; if somebody did, what is in it is no secret any more: replace it.`,
  );
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}

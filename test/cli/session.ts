import { hash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { actionsClaims } from "../sigstore/github-actions.ts";
import { startSigstore } from "../sigstore/instance.ts";
import { sha256Hex, slsaProvenance } from "../sigstore/provenance.ts";
import { copyEmptyDatabase } from "../support/empty-database.ts";
import { lendPostgres } from "../support/postgres.ts";
import { startServer } from "./server.ts";
import { vouchsafe } from "./vouchsafe.ts";

/** The policies that the server starts with: one, `widget-release`. */
export const POLICIES = fileURLToPath(new URL("../demo/", import.meta.url));
export const WIDGET = { name: "widget-2.0.0.tar", bytes: Buffer.from("the widget") };
export const OTHER = { name: "widget-2.0.1.tar", bytes: Buffer.from("another widget") };
export const DIGEST = `sha256:${sha256Hex(WIDGET.bytes)}`;
/** A package whose provenance calls it as npm does: by its sha512 alone. */
export const PACKAGE = { name: "widget-2.1.0.tgz", bytes: Buffer.from("a widget's package") };
const FORK = actionsClaims({ repository: "mallory/widget" });

/** A directory with a widget and evidence in it, and a server that was started beside it. */
export type Session = Awaited<ReturnType<typeof openSession>>;

/**
 * In the directory: the widget, its provenance (release.json), another's (other.json), a fork's (fork.json), and the
 * package with its (package.json).
 */
export async function openSession({ embedded = false } = {}) {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-cli-"));
  const path = (name: string) => join(directory, name);
  const sigstore = await startSigstore();
  await writeFile(path("local.json"), JSON.stringify(sigstore.trustedRoot));
  await writeFile(path(WIDGET.name), WIDGET.bytes);
  await writeFile(path("release.json"), await sigstore.signStatement(slsaProvenance([WIDGET])));
  await writeFile(path("other.json"), await sigstore.signStatement(slsaProvenance([OTHER])));
  await writeFile(
    path("fork.json"),
    await sigstore.signStatement(slsaProvenance([OTHER], FORK), { claims: FORK }),
  );
  await writeFile(path(PACKAGE.name), PACKAGE.bytes);
  const sha512 = hash("sha512", PACKAGE.bytes, "hex");
  const named = { ...slsaProvenance([]), subject: [{ name: PACKAGE.name, digest: { sha512 } }] };
  await writeFile(path("package.json"), await sigstore.signStatement(named));
  await sigstore.close();

  const VOUCHSAFE_DATA_DIR = path("data");
  const database = embedded ? undefined : await lendPostgres();
  if (embedded) await copyEmptyDatabase(VOUCHSAFE_DATA_DIR);
  const server = await startServer({
    VOUCHSAFE_DATA_DIR,
    ...database?.settings,
    VOUCHSAFE_POLICIES: POLICIES,
    VOUCHSAFE_TRUSTED_ROOT: path("local.json"),
  });
  const env = { VOUCHSAFE_SERVER: server.url, VOUCHSAFE_DATA_DIR };
  const $ = (...args: string[]) => vouchsafe(args, { cwd: directory, env });
  return {
    server,
    /** A file of the directory. */
    path,
    /** Runs a command in the directory, by the operator's token that the server wrote. */
    $,
    /** Runs it by another token. */
    as: (token: string, ...args: string[]) =>
      vouchsafe(args, { cwd: directory, env: { ...env, VOUCHSAFE_TOKEN: token } }),
    /** Runs it with --json and gives the value on stdout, which must be all that is there. */
    async json(...args: string[]) {
      const ended = await $("--json", ...args);
      return { ...ended, value: JSON.parse(ended.stdout) };
    },
    /** Runs it with `settings` alone, which lead to no server. */
    offline: (args: readonly string[], settings: Readonly<Record<string, string>> = {}) =>
      vouchsafe(args, { cwd: directory, env: settings }),
    async close() {
      await server.stop();
      await database?.giveBack();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/**
 * The client that Sigstore's conformance suite drives:
 *
 *     npm run --silent conformance -- verify-bundle --bundle FILE
 *       (--certificate-identity SAN --certificate-oidc-issuer URL | --key FILE) [--trusted-root FILE] FILE_OR_DIGEST
 */
import { enableCompileCache } from "node:module";
import { fileURLToPath } from "node:url";

// The suite starts a process for each of its cases: what one compiled the next need not. What is imported above this
// line is not kept.
enableCompileCache(fileURLToPath(new URL("../../node_modules/.cache/conformance", import.meta.url)));
const [{ openTerminal }, { conform }] = await Promise.all([
  import("../../src/cli/output/terminal.ts"),
  import("./conform.ts"),
]);

const { env } = process;
// npm runs scripts in the package's folder; the paths are of the folder that it was called in.
if (env.npm_lifecycle_event === "conformance" && env.INIT_CWD !== undefined) process.chdir(env.INIT_CWD);
process.exitCode = await conform(process.argv.slice(2), openTerminal(process, env), Date.now());

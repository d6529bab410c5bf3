/**
 * The client that Sigstore's conformance suite drives:
 *
 *     npm run --silent conformance -- verify-bundle --bundle FILE
 *       (--certificate-identity SAN --certificate-oidc-issuer URL | --key FILE) [--trusted-root FILE] FILE_OR_DIGEST
 */
import { openTerminal } from "../../src/cli/terminal.ts";
import { conform } from "./conform.ts";

const { env } = process;
// npm runs scripts in the package's folder; the paths are of the folder that it was called in.
if (env.npm_lifecycle_event === "conformance" && env.INIT_CWD !== undefined) process.chdir(env.INIT_CWD);
process.exitCode = await conform(process.argv.slice(2), openTerminal(process, env), Date.now());

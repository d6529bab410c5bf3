import { spawnSync } from "node:child_process";

/** Whether openssl is here: tests that ask it for a second opinion are skipped where it is not. */
const { status, stdout } = spawnSync("openssl", ["version"], { encoding: "utf8" });

export const openssl: { readonly skip: string | false } = {
  skip: status === 0 && stdout.startsWith("OpenSSL 3") ? false : "there is no OpenSSL 3 on this machine",
};

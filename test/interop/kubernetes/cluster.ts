import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { endChild, endWithParent } from "../../support/child.ts";
import { freePort } from "../../support/postgres.ts";

const run = promisify(execFile);
const VERSION = "1.33.3";
const ADMIN = "admin-of-this-test";

/** An API server and its etcd, and nothing that runs pods. */
export interface Cluster {
  /** A call with the rights of a cluster's administrator. */
  call(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ status: number; body: Record<string, unknown>; warnings: string }>;
  stop(): Promise<void>;
}

/** Builds both into the directory, by Go's build cache: the first time takes minutes. */
export async function buildCluster(directory: string): Promise<void> {
  for (const [name, flags] of [
    ["etcd", []],
    // Without a version it would not know which features it has.
    ["apiserver", ["-ldflags", `-X k8s.io/component-base/version.gitVersion=v${VERSION}`]],
  ] as const) {
    const cwd = fileURLToPath(new URL(name, import.meta.url));
    await run("nice", ["go", "build", ...flags, "-o", join(directory, name), "."], { cwd });
  }
}

export async function startCluster(directory: string): Promise<Cluster> {
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
  const path = (name: string) => join(directory, name);
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await writeFile(path("sa.key"), privateKey.export({ format: "pem", type: "pkcs8" }));
  await writeFile(path("sa.pub"), publicKey.export({ format: "pem", type: "spki" }));
  await writeFile(path("tokens.csv"), `${ADMIN},admin,1,system:masters\n`);
  const children: ChildProcess[] = [];
  const logs: string[] = [];
  const start = (program: string, args: readonly string[]) => {
    const child = spawn(path(program), args, { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => logs.push(text) > 200 && logs.shift());
    endWithParent(child);
    children.push(child);
  };
  start("etcd", [
    `--data-dir=${path("etcd-data")}`,
    `--listen-client-urls=http://127.0.0.1:${client}`,
    `--advertise-client-urls=http://127.0.0.1:${client}`,
    `--listen-peer-urls=http://127.0.0.1:${peer}`,
    `--initial-advertise-peer-urls=http://127.0.0.1:${peer}`,
    `--initial-cluster=default=http://127.0.0.1:${peer}`,
    "--unsafe-no-fsync",
  ]);
  start("apiserver", [
    `--etcd-servers=http://127.0.0.1:${client}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    `--cert-dir=${path("certs")}`,
    "--service-account-issuer=https://oidc.cluster.example.com",
    `--service-account-key-file=${path("sa.pub")}`,
    `--service-account-signing-key-file=${path("sa.key")}`,
    "--service-cluster-ip-range=10.0.0.0/24",
    "--authorization-mode=RBAC",
    `--token-auth-file=${path("tokens.csv")}`,
    // Nothing here makes namespaces their service accounts.
    "--disable-admission-plugins=ServiceAccount",
  ]);

  async function call(method: string, path: string, body?: object) {
    const agent = new Agent({ ca: await readFile(join(directory, "certs", "apiserver.crt")) });
    return new Promise<{ status: number; body: Record<string, unknown>; warnings: string }>(
      (resolve, reject) => {
        const sent = request(`https://127.0.0.1:${port}${path}`, {
          agent,
          method,
          headers: {
            authorization: `Bearer ${ADMIN}`,
            "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json",
          },
        });
        sent.on("error", reject).on("response", async (answer) => {
          let text = "";
          for await (const chunk of answer.setEncoding("utf8")) text += chunk;
          agent.destroy();
          resolve({
            status: answer.statusCode ?? 0,
            body: text.startsWith("{") ? JSON.parse(text) : { text },
            warnings: [answer.headers.warning ?? []].flat().join(" "),
          });
        });
        sent.end(body && JSON.stringify(body));
      },
    );
  }
  const stop = async () => {
    for (const child of children.reverse()) await endChild(child, "SIGKILL");
  };
  for (let tries = 0; ; tries += 1) {
    const ready = await call("GET", "/readyz").catch((error: unknown) => void logs.push(String(error)));
    if (ready?.status === 200) return { call, stop };
    if (tries === 300 || children.some(({ exitCode }) => exitCode !== null)) {
      await stop();
      assert.fail(`the API server is not ready: ${logs.join("").slice(-3000)}`);
    }
    await sleep(200);
  }
}

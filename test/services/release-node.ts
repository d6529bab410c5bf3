import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Caller, Role } from "../../src/services/caller.ts";
import { type NodeOptions, openNode, type TestNode } from "../http/node.ts";
import { RELEASE_POLICY } from "../http/release.ts";
import { type Sigstore, startSigstore } from "../sigstore/instance.ts";
import { writeAuthorityFiles } from "../support/authority-files.ts";
import { settingsOf, type TestPostgres } from "../support/postgres.ts";

/** Nodes that trust one local Sigstore instance, start with one policy and share an authority, on one database. */
export interface ReleaseHouse {
  readonly sigstore: Sigstore;
  /** Another node; on Postgres they share database and log key. */
  open(settings?: Readonly<Record<string, string>>, options?: NodeOptions): Promise<TestNode>;
  close(): Promise<void>;
}

/**
 * @param database the one of all nodes; absent, each has its own on Postgres
 * @param others further policy documents, by the names of their files
 */
export async function openReleaseHouse(
  database?: TestPostgres | "embedded",
  others: Readonly<Record<string, string>> = {},
): Promise<ReleaseHouse> {
  const sigstore = await startSigstore();
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-services-"));
  await mkdir(join(directory, "policies"));
  for (const [name, text] of Object.entries({ ...others, "release.yaml": RELEASE_POLICY })) {
    await writeFile(join(directory, "policies", name), text);
  }
  await writeFile(join(directory, "local.json"), JSON.stringify(sigstore.trustedRoot));
  const authority = await writeAuthorityFiles(directory);
  const nodes: TestNode[] = [];
  return {
    sigstore,
    async open(settings = {}, options = {}) {
      const own = {
        VOUCHSAFE_POLICIES: join(directory, "policies"),
        VOUCHSAFE_TRUSTED_ROOT: join(directory, "local.json"),
        VOUCHSAFE_LOG_KEY_FILE: join(directory, "log-key.pem"),
        ...authority,
        ...(typeof database === "object" && settingsOf(database)),
      };
      const node = await openNode(
        { ...own, ...settings },
        {
          ...options,
          embedded: database === "embedded",
        },
      );
      nodes.push(node);
      return node;
    },
    async close() {
      for (const node of nodes) await node.close();
      await sigstore.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A caller with these roles, whose questions are decided by the policies named. */
export function callerWith(
  { v }: TestNode,
  roles: readonly Role[],
  policies: readonly string[] = ["release"],
): Caller {
  return {
    token: "0123456789abcdef",
    project: v.project,
    name: "test",
    roles,
    policies,
    mayChoosePolicy: false,
  };
}

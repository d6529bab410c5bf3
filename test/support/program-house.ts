import { hash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "../../src/client/client.ts";
import { openNode, type TestNode } from "../http/node.ts";
import { envelopeKey, signStatement, testResult } from "../services/signed-envelope.ts";

/** A server that releases programs by two policies, and a token's file for a plugin that asks it. */
export interface ProgramHouse {
  readonly node: TestNode;
  readonly server: string;
  readonly operator: Client;
  readonly tokenFile: string;
  path(name: string): string;
  /** Signs for a program, so that the policy `production` lets it through. @returns its digest */
  release(program: string): Promise<string>;
  releaseDigest(digest: string): Promise<void>;
  close(): Promise<void>;
}

const policy = (name: string, artifact: string) => `
apiVersion: vouchsafe.dev/v1
kind: VerificationPolicy
metadata: { name: ${name} }
spec:
  artifacts: { names: [${artifact}] }
  signers: [{ key: builder }]
`;

export async function openProgramHouse(): Promise<ProgramHouse> {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-spire-"));
  const path = (name: string) => join(directory, name);
  const key = envelopeKey();
  await writeFile(path("builder.pem"), key.pem);
  const node = await openNode({ VOUCHSAFE_KEYS: path("builder.pem") });
  await node.app.listen({ host: "127.0.0.1", port: 0 });
  const server = `http://127.0.0.1:${(node.app.server.address() as AddressInfo).port}`;
  const token = await node.token(["operator", "uploader", "auditor"]);
  const operator = createClient({ server, token });
  const text = [policy("production", "program"), policy("other", "another")].join("---");
  await operator.activatePolicies(
    [{ name: "policies.yaml", text }],
    (await operator.readPolicies()).policySet,
  );
  const tokenFile = path("token");
  await writeFile(tokenFile, await node.token(["issuer"], { mayChoosePolicy: true }), { mode: 0o600 });
  async function releaseDigest(digest: string): Promise<void> {
    await operator.pushAttestation(signStatement(testResult(digest, "program"), key.privateKey));
  }
  return {
    node,
    server,
    operator,
    tokenFile,
    path,
    async release(program) {
      const digest = `sha256:${hash("sha256", await readFile(program))}`;
      await releaseDigest(digest);
      return digest;
    },
    releaseDigest,
    async close() {
      await node.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

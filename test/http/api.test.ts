import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { PACK_MEDIA_TYPE } from "../../src/custody/pack.ts";
import { verifyPack } from "../../src/custody/verify-pack.ts";
import { type Sigstore, startSigstore } from "../sigstore/instance.ts";
import { sha256Hex } from "../sigstore/provenance.ts";
import { forPostgres } from "../support/databases.ts";
import { settingsOf } from "../support/postgres.ts";
import type { Call } from "./calls.ts";
import * as calls from "./calls.ts";
import { openNode, type TestNode } from "./node.ts";
import { RELEASE_POLICY, signRelease, tampered } from "./release.ts";

/** The log entry is compared first, and it is of another payload. */
const TAMPERED = "log-entry-invalid";
const JSON_LINES = "application/jsonl";

let sigstore: Sigstore;
before(async () => {
  sigstore = await startSigstore();
});
after(() => sigstore.close());

forPostgres("the API", (create) => {
  let node: TestNode;
  let operator: string;
  let uploader: string;
  let issuer: string;
  let auditor: string;

  const call = (route: string, request: Call) => calls.call(node.app, route, request);
  const succeeds = (status: number, route: string, request: Call) =>
    calls.succeeds(node.app, status, route, request);
  const fails = (code: string, route: string, request: Call) => calls.fails(node.app, code, route, request);
  const ask = (digest: string) => succeeds(200, "GET /verify-digest", { as: issuer, query: { digest } });
  const push = (bytes: Uint8Array, type?: string): Promise<LightMyRequestResponse> =>
    call("POST /attestations", { as: uploader, bytes, ...(type && { type }) });

  before(async () => {
    const { dataDir, postgres } = await create();
    const own = { VOUCHSAFE_DATA_DIR: dataDir, ...(postgres && settingsOf(postgres)) };
    node = await openNode(own, { embedded: !postgres });
    operator = await node.token(["operator"]);
    uploader = await node.token(["uploader"]);
    issuer = await node.token(["issuer"], { policies: ["release"] });
    auditor = await node.token(["auditor"], { mayChoosePolicy: true });
  });
  after(() => node.close());

  test("policies are put in force by compare-and-swap", async () => {
    const documents = [{ name: "release.yaml", text: RELEASE_POLICY }];
    const { policySet: previous } = await succeeds(200, "GET /policies", { as: operator });
    const { active } = await fails("conflict", "POST /policies", {
      as: operator,
      json: { documents, previous: `sha256:${"0".repeat(64)}` },
    });
    assert.equal(active, previous);

    const { policySet } = await succeeds(201, "POST /policies", {
      as: operator,
      json: { documents, previous },
    });
    const read = await succeeds(200, "GET /policies", { as: auditor });
    assert.equal(read.policySet, policySet);
    assert.deepEqual(read.documents, documents);
    const again = await succeeds(200, "POST /policies", { as: operator, json: { documents, previous } });
    assert.equal(again.receipt, null);

    const text = RELEASE_POLICY.replace("spec:", "spec:\n  signer: x").replace("level: 3", "level: 9");
    const { diagnostics } = await fails("invalid-policy", "POST /policies", {
      as: operator,
      json: { documents: [{ name: "release.yaml", text }], previous: policySet },
    });
    assert.equal(diagnostics.length, 2);
    assert.deepEqual(Object.keys(diagnostics[0]).sort(), ["column", "file", "line", "message"]);
  });

  test("trust is put in force by compare-and-swap", async () => {
    const { trust: previous } = await succeeds(200, "GET /trust", { as: operator });
    const document = { sigstore: [{ name: "local", trustedRoot: sigstore.trustedRoot }], keys: [] };
    await fails("conflict", "POST /trust", { as: operator, json: { document, previous: null } });
    const { trust } = await succeeds(201, "POST /trust", { as: operator, json: { document, previous } });
    const read = await succeeds(200, "GET /trust", { as: auditor });
    assert.equal(read.trust, trust);
    assert.deepEqual(read.document, document);
  });

  test("evidence is pushed once, kept byte for byte, found, and allows what the policy passes", async () => {
    const { digest, bundle } = await signRelease(sigstore);
    const before = await ask(digest);
    assert.equal(before.decision, "deny");
    assert.deepEqual(
      before.reasons.map(({ code }: { code: string }) => code),
      ["no-verdict"],
    );

    const pushed = await push(bundle);
    assert.equal(pushed.statusCode, 201, pushed.body);
    const { attestation, receipt, verdicts } = pushed.json();
    assert.equal(attestation.id, `sha256:${sha256Hex(bundle)}`);
    assert.deepEqual(attestation.subjects, [{ name: "widget.tgz", digests: [digest] }]);
    assert.deepEqual(
      verdicts.map(({ outcome }: { outcome: string }) => outcome),
      ["passed"],
    );
    assert.equal(receipt.index, attestation.index);

    const again = await push(bundle, "application/vnd.dev.sigstore.bundle+json;version=0.3");
    assert.equal(again.statusCode, 200);
    assert.equal(again.json().receipt.index, receipt.index);

    const kept = await call("GET /attestations/:id", { as: auditor, params: { id: attestation.id } });
    assert.deepEqual(kept.rawPayload, Buffer.from(bundle));
    assert.equal(kept.headers["content-type"], attestation.mediaType);
    assert.match(String(kept.headers["cache-control"]), /^private, .*immutable$/);

    const commit = attestation.source.commit;
    const found = await succeeds(200, "GET /artifacts", { as: auditor, query: { commit, limit: "200" } });
    assert.ok(found.artifacts.some((artifact: { digest: string }) => artifact.digest === digest));
    const artifact = await succeeds(200, "GET /artifacts/:digest", { as: auditor, params: { digest } });
    assert.deepEqual(artifact.names, ["widget.tgz"]);
    assert.ok(artifact.verdicts[0].current);

    const answer = await call("GET /verify-digest", {
      as: issuer,
      query: { digest, minSize: String(receipt.treeSize) },
    });
    const decision = answer.json();
    assert.equal(decision.decision, "allow", answer.body);
    assert.deepEqual(decision.policies[0].attestations, [attestation.id]);
    assert.equal(answer.headers["vouchsafe-log-size"], String(decision.asOf));
    assert.ok(decision.asOf >= receipt.treeSize);
    assert.equal(answer.headers["cache-control"], "no-store");
  });

  test("a batch is answered in its order, and a caller that may choose names the policy", async () => {
    const { digest, bundle } = await signRelease(sigstore);
    await push(bundle);
    const unknown = `sha256:${"1".repeat(64)}`;
    const json = { digests: [unknown, digest, unknown], policy: "release" };
    const { decisions } = await succeeds(200, "POST /verify-digest", { as: auditor, json });
    assert.deepEqual(
      decisions.map(({ digest, decision }: { digest: string; decision: string }) => [digest, decision]),
      [
        [unknown, "deny"],
        [digest, "allow"],
        [unknown, "deny"],
      ],
    );
    const one = await succeeds(200, "POST /verify-digest", {
      as: auditor,
      json: { digest, policy: "release" },
    });
    assert.equal(one.decision, "allow");
  });

  test("evidence that was tampered with is refused, and nothing enters the artifact's chain", async () => {
    const { digest, bundle } = await signRelease(sigstore);
    const refused = await push(tampered(bundle));
    assert.equal(refused.statusCode, 422);
    assert.equal(refused.json().code, TAMPERED);
    await fails("not-found", "GET /custody/:digest", { as: auditor, params: { digest } });
    assert.equal((await ask(digest)).decision, "deny");
  });

  test("each attestation of a registry's list has a result of its own, and is evidence by itself", async () => {
    const fresh = await signRelease(sigstore);
    const json = (bytes: Uint8Array) => JSON.parse(Buffer.from(bytes).toString());
    const attestations = [fresh.bundle, tampered(fresh.bundle)].map((bundle) => ({ bundle: json(bundle) }));
    const answer = await push(Buffer.from(JSON.stringify({ attestations })));
    assert.equal(answer.statusCode, 207);
    const [accepted, refused] = answer.json().results;
    assert.deepEqual([accepted.item, accepted.status], [1, "accepted"]);
    assert.deepEqual([refused.item, refused.problem.code], [2, TAMPERED]);
    assert.equal((await ask(fresh.digest)).decision, "allow");

    const bytes = Buffer.from(JSON.stringify({ attestations: [{}] }));
    assert.equal((await push(bytes)).json().code, "unknown-evidence-format");
  });

  test("each line of JSON Lines has a result of its own", async () => {
    const [first, second] = [await signRelease(sigstore), await signRelease(sigstore)];
    await push(first.bundle);
    const lines = [second.bundle, Buffer.from("{broken"), first.bundle, tampered(second.bundle)];
    const body = Buffer.concat(lines.flatMap((line) => [line, Buffer.from("\r\n")]));
    const answer = await push(body, JSON_LINES);
    assert.equal(answer.statusCode, 207);
    const { results } = answer.json();
    assert.deepEqual(
      results.map(
        ({ item, status, problem }: { item: number; status: string; problem?: { code: string } }) => [
          item,
          problem?.code ?? status,
        ],
      ),
      [
        [1, "accepted"],
        [2, "malformed-json"],
        [3, "known"],
        [4, TAMPERED],
      ],
    );
    const fresh = await signRelease(sigstore);
    assert.equal((await push(fresh.bundle, JSON_LINES)).statusCode, 201);
  });

  test("a manifest is recorded once", async () => {
    const manifests = [{ mediaType: "x", digest: `sha256:${"1".repeat(64)}`, size: 1 }];
    const upload = { as: uploader, bytes: Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })) };
    const recorded = await succeeds(201, "POST /manifests", upload);
    assert.deepEqual(await succeeds(200, "POST /manifests", upload), recorded);
  });

  test("a quarantine denies at once, until it is lifted", async () => {
    const { digest, bundle } = await signRelease(sigstore);
    await push(bundle);
    const json = { artifact: digest, reason: "found in an incident" };
    const { id } = await succeeds(201, "POST /quarantines", { as: operator, json });
    const denied = await ask(digest);
    assert.equal(denied.decision, "deny");
    assert.deepEqual(
      denied.reasons.map(({ code }: { code: string }) => code),
      ["quarantined"],
    );
    const { quarantines } = await succeeds(200, "GET /quarantines", { as: auditor });
    assert.ok(quarantines.some((open: { id: string }) => open.id === id));
    const artifact = await succeeds(200, "GET /artifacts/:digest", { as: auditor, params: { digest } });
    assert.equal(artifact.quarantines[0].id, id);

    const lift = { as: operator, params: { id }, json: { reason: "a false alarm" } };
    await succeeds(200, "POST /quarantines/:id/lift", lift);
    assert.equal((await ask(digest)).decision, "allow");
    await fails("not-found", "POST /quarantines/:id/lift", lift);
  });

  test("what an issuer granted is recorded, and told when it no longer holds", async () => {
    const { digest, bundle } = await signRelease(sigstore);
    await push(bundle);
    const { asOf } = await ask(digest);
    const granted = {
      artifact: digest,
      policies: ["release"],
      decision: "allow",
      asOf,
      grantedTo: "spiffe://acme.example/widget",
      issuer: "https://issuer.example",
      expiresAt: "2030-01-02T03:04:05Z",
    };
    assert.equal((await succeeds(201, "POST /decisions", { as: issuer, json: granted })).current, "allow");
    await succeeds(201, "POST /quarantines", { as: operator, json: { artifact: digest, reason: "r" } });
    assert.equal((await succeeds(201, "POST /decisions", { as: issuer, json: granted })).current, "deny");
    await fails("invalid-request", "POST /decisions", { as: issuer, json: { ...granted, asOf: 1e9 } });
    await fails("invalid-request", "POST /decisions", {
      as: issuer,
      json: { ...granted, expiresAt: "tomorrow" },
    });
  });

  test("an auditor reads the chain with its proofs, and takes the file that verifies offline", async () => {
    const { digest, bundle } = await signRelease(sigstore);
    await push(bundle);
    const wanted = { as: auditor, params: { digest } };
    const query = { related: "false" };
    const { events } = await succeeds(200, "GET /custody/:digest", { ...wanted, query });
    assert.deepEqual(
      events.map(({ type }: { type: string }) => type),
      ["evidence.accepted", "verdict.passed"],
    );
    const pack = await call("GET /custody/:digest.pack", wanted);
    assert.equal(pack.headers["content-type"], PACK_MEDIA_TYPE);
    const filename = `custody-${digest.replace(":", "-")}.jsonl`;
    assert.equal(pack.headers["content-disposition"], `attachment; filename="${filename}"`);
    const report = verifyPack(pack.rawPayload, node.v.log.verifierKey);
    assert.ok(report.ok, JSON.stringify(report.checks));
    assert.equal(report.artifact, digest);
  });

  test("tokens are made, listed without secrets, and revoked", async () => {
    const json = { name: "ci", roles: ["uploader"], policies: ["release"], expiresIn: 3600 };
    const { id, token } = await succeeds(201, "POST /tokens", { as: operator, json });
    assert.notEqual((await call("GET /policies", { as: token })).statusCode, 401);
    const list = await call("GET /tokens", { as: operator });
    assert.ok(!list.body.includes(token.slice(-43)), "the secret, which may have underscores of its own");
    const listed = list.json().tokens.find((other: { id: string }) => other.id === id);
    assert.deepEqual([listed.name, listed.roles, listed.policies], ["ci", ["uploader"], ["release"]]);
    await succeeds(204, "DELETE /tokens/:id", { as: operator, params: { id } });
    await fails("unauthenticated", "GET /policies", { as: token });
    await fails("not-found", "DELETE /tokens/:id", { as: operator, params: { id } });
  });

  test("anybody reads the checkpoint and the key, and nothing else of the log", async () => {
    const checkpoint = await node.app.inject("/log/checkpoint");
    assert.match(String(checkpoint.headers["content-type"]), /^text\/plain/);
    assert.ok(checkpoint.body.startsWith(`${node.v.log.origin}\n`));
    assert.equal((await node.app.inject("/log/key")).body, `${node.v.log.verifierKey}\n`);
    assert.equal((await node.app.inject("/readyz")).json().status, "ready");
  });
});

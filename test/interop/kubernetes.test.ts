/** A real API server of Kubernetes asks our webhook, and takes our manifests. Built from Go's module proxy where VOUCHSAFE_INTEROP=1 asks for it. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { parseAllDocuments, stringify } from "yaml";
import { openQuarantine } from "../../src/services/incidents/quarantine.ts";
import { webCertificate } from "../services/federation/bundle-server.ts";
import { release } from "../services/identities/identity-house.ts";
import { callerWith, openReleaseHouse } from "../services/release-node.ts";
import { endChild, endWithParent } from "../support/child.ts";
import { skipInterop } from "../support/interop.ts";
import { createPostgres, stopPostgres } from "../support/postgres.ts";
import { buildCluster, startCluster } from "./kubernetes/cluster.ts";

const skip = skipInterop("go");

const AUDIENCE = "https://vouchsafe.example.com";
const read = async (name: string) =>
  parseAllDocuments(await readFile(`deploy/kubernetes/${name}.yaml`, "utf8")).map((one) => one.toJS());

/** Where objects of each kind are. */
const COLLECTIONS: Readonly<Record<string, string>> = {
  Namespace: "/api/v1/namespaces",
  ServiceAccount: "/api/v1/namespaces/vouchsafe/serviceaccounts",
  ConfigMap: "/api/v1/namespaces/vouchsafe/configmaps",
  Service: "/api/v1/namespaces/vouchsafe/services",
  Deployment: "/apis/apps/v1/namespaces/vouchsafe/deployments",
  PodDisruptionBudget: "/apis/policy/v1/namespaces/vouchsafe/poddisruptionbudgets",
  ValidatingWebhookConfiguration: "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
};

test("Kubernetes takes the manifests, and admits what the server allows", {
  skip,
  timeout: 1_200_000,
}, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "vouchsafe-kubernetes-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await buildCluster(directory);
  const cluster = await startCluster(directory);
  t.after(() => cluster.stop());
  const create = async (collection: string, object: object) =>
    cluster.call("POST", `${collection}?fieldValidation=Strict`, object);

  // The manifests as they are, but for the registration, which waits for a webhook.
  for (const document of await read("admission")) {
    const { status, body } = await create(COLLECTIONS[document.kind] ?? "", document);
    assert.equal(status, 201, `${document.kind}: ${JSON.stringify(body)}`);
  }

  // The service account's own token, by the API server's own keys, taken by the policy that is shipped.
  const jwks = (await cluster.call("GET", "/openid/v1/jwks")).body;
  const [access] = await read("access-policy");
  access.spec.oidc.keys = JSON.stringify(jwks);
  const postgres = await createPostgres();
  const house = await openReleaseHouse(postgres, { "access.yaml": stringify(access) });
  t.after(async () => {
    await house.close();
    await postgres.drop();
    await stopPostgres();
  });
  const node = await house.open();
  const server = await node.app.listen({ host: "127.0.0.1", port: 0 });
  const accounts = "/api/v1/namespaces/vouchsafe/serviceaccounts/admission/token";
  const { body: issued } = await cluster.call("POST", accounts, {
    apiVersion: "authentication.k8s.io/v1",
    kind: "TokenRequest",
    spec: { audiences: [AUDIENCE], expirationSeconds: 3600 },
  });
  const file = (name: string) => join(directory, name);
  await writeFile(file("token"), (issued.status as { token: string }).token);

  const shown = webCertificate();
  await writeFile(file("tls.crt"), shown.cert);
  await writeFile(file("tls.key"), shown.key);
  await writeFile(file("policies.yaml"), "default: release\n");
  const webhook = spawn(
    process.execPath,
    [
      "src/cli/main.ts",
      "--json",
      "--server",
      server,
      "admission",
      "--listen=127.0.0.1:0",
      `--tls-cert=${file("tls.crt")}`,
      `--tls-key=${file("tls.key")}`,
      `--policies=${file("policies.yaml")}`,
    ],
    {
      env: { PATH: process.env.PATH, VOUCHSAFE_TOKEN_FILE: file("token"), VOUCHSAFE_AUDIENCE: AUDIENCE },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  endWithParent(webhook);
  t.after(() => endChild(webhook));
  webhook.stderr.setEncoding("utf8").on("data", (text) => t.diagnostic(text.trim()));
  const [line] = await once(webhook.stdout.setEncoding("utf8"), "data");
  const { url } = JSON.parse(line);

  const [registration] = await read("webhook");
  const [hook] = registration.webhooks;
  // Nothing routes to services here: the rest is as it is shipped.
  hook.clientConfig = { url: `${url}/admit`, caBundle: Buffer.from(shown.root).toString("base64") };
  const registered = await create(COLLECTIONS.ValidatingWebhookConfiguration ?? "", registration);
  assert.equal(registered.status, 201, JSON.stringify(registered.body));

  const { digest } = await release(house, node);
  const pods = "/api/v1/namespaces/default/pods";
  const pod = (name: string, image: string) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { containers: [{ name: "web", image }] },
  });
  const message = ({ body }: { body: Record<string, unknown> }) => String(body.message);

  // The API server takes a moment to notice a registration.
  let tagged = await create(pods, pod("probe", "web:v1"));
  for (let i = 0; tagged.status === 201 && i < 100; i += 1) {
    await cluster.call("DELETE", `${pods}/probe`, { gracePeriodSeconds: 0 });
    await sleep(100);
    tagged = await create(pods, pod("probe", "web:v1"));
  }
  assert.equal(tagged.status, 403);
  assert.match(
    message(tagged),
    /admission webhook "images.vouchsafe.dev" denied the request: The container web names web:v1/,
  );

  const pinned = `registry.example.com/web@${digest}`;
  assert.equal((await create(pods, pod("web", pinned))).status, 201);
  const unknown = `registry.example.com/web@sha256:${"0".repeat(64)}`;
  assert.match(
    message(await create(pods, pod("other", unknown))),
    /denied the request: .* is denied: release: /,
  );
  const dry = await cluster.call("POST", `${pods}?dryRun=All`, pod("dry", pinned));
  assert.equal(dry.status, 201);

  const deployment = (image: string) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web" },
    spec: {
      selector: { matchLabels: { app: "web" } },
      template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "web", image }] } },
    },
  });
  const deployments = "/apis/apps/v1/namespaces/default/deployments";
  assert.equal((await create(deployments, deployment(unknown))).status, 403);
  assert.equal((await create(deployments, deployment(pinned))).status, 201);
  const cron = {
    jobTemplate: {
      spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "web", image: unknown }] } } },
    },
  };
  const cronJob = {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { name: "web" },
    spec: { schedule: "0 0 * * *", ...cron },
  };
  assert.equal((await create("/apis/batch/v1/namespaces/default/cronjobs", cronJob)).status, 403);

  await openQuarantine(node.v, callerWith(node, ["operator"]), { artifact: digest, reason: "leaks" });
  assert.match(message(await create(pods, pod("late", pinned))), /Quarantine .*: leaks/);
  // What was let in can still be labelled, scaled and debugged with nothing new, and be deleted.
  assert.equal(
    (await cluster.call("PATCH", `${pods}/web`, { metadata: { labels: { a: "b" } } })).status,
    200,
  );
  assert.equal(
    (await cluster.call("PATCH", `${deployments}/web/scale`, { spec: { replicas: 3 } })).status,
    200,
  );
  const ephemeral = (image: string) => ({ spec: { ephemeralContainers: [{ name: "debug", image }] } });
  const debug = await cluster.call("PATCH", `${pods}/web/ephemeralcontainers`, ephemeral("busybox"));
  assert.match(message(debug), /The ephemeral container debug names busybox/);
  assert.equal((await cluster.call("DELETE", `${pods}/web`, { gracePeriodSeconds: 0 })).status, 200);

  // Nobody is asked in the webhook's own namespace, nor in one that is exempt.
  const exempt = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "lab", labels: { "vouchsafe.dev/admission": "exempt" } },
  };
  await create("/api/v1/namespaces", exempt);
  assert.equal((await create("/api/v1/namespaces/lab/pods", pod("web", "web:v1"))).status, 201);

  // Without a webhook nothing starts.
  await endChild(webhook);
  assert.match(
    message(await create(pods, pod("after", pinned))),
    /failed calling webhook|connection refused/,
  );
});

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseAllDocuments } from "yaml";
import { isKnownKind } from "../../src/admission/images.ts";
import { readPolicies } from "../../src/admission/policies.ts";
import { createProgram } from "../../src/cli/program.ts";
import { loadPolicySet } from "../../src/policy/load.ts";
import { RELEASE_POLICY } from "../http/release.ts";

// Their shapes are held to a real API server by test/interop/kubernetes.test.ts: here, what must fit together.
const text = (name: string) => readFileSync(`deploy/kubernetes/${name}.yaml`, "utf8");
// biome-ignore lint/suspicious/noExplicitAny: manifests of many kinds, of which the test says what it expects
const documents = (name: string): any[] => parseAllDocuments(text(name)).map((one) => one.toJS());
const ofKind = (name: string, kind: string) => documents(name).find((one) => one.kind === kind);

test("the registration names what the webhook knows, all of it, and leaves out where the webhook itself runs", () => {
  const [{ webhooks }] = documents("webhook");
  const [webhook, ...more] = webhooks;
  assert.deepEqual(more, []);
  const KINDS: Record<string, string> = {
    pods: "Pod",
    podtemplates: "PodTemplate",
    replicationcontrollers: "ReplicationController",
    deployments: "Deployment",
    statefulsets: "StatefulSet",
    daemonsets: "DaemonSet",
    replicasets: "ReplicaSet",
    jobs: "Job",
    cronjobs: "CronJob",
  };
  const named = webhook.rules.flatMap(({ apiGroups, apiVersions, resources }: Record<string, string[]>) =>
    (resources ?? []).map((one) => `${apiGroups}/${apiVersions}/${KINDS[one.replace(/\/.*/, "")]}`),
  );
  for (const kind of named) assert.ok(isKnownKind(kind), kind);
  assert.equal(new Set(named).size, Object.keys(KINDS).length);
  const namespace = ofKind("admission", "Namespace").metadata.name;
  assert.deepEqual(webhook.namespaceSelector.matchExpressions[0].values, [namespace, "kube-system"]);
  const { service } = webhook.clientConfig;
  assert.deepEqual(
    [service.namespace, service.name, service.path],
    [namespace, ofKind("admission", "Service").metadata.name, "/admit"],
  );
  assert.deepEqual([webhook.failurePolicy, webhook.sideEffects], ["Fail", "None"]);
});

test("the deployment calls the command as it is, with the token and the certificate that the others name", () => {
  const { template } = ofKind("admission", "Deployment").spec;
  const [container] = template.spec.containers;
  const command = createProgram().commands.find((one) => one.name() === container.command[2]);
  const options = command?.options.map(({ long }) => long);
  for (const arg of container.args) assert.ok(options?.includes(arg.split("=")[0]), arg);
  const [tls, token] = template.spec.volumes;
  const certificate = ofKind("certificate", "Certificate").spec;
  assert.equal(tls.secret.secretName, certificate.secretName);
  const { name, namespace } = ofKind("admission", "Service").metadata;
  assert.deepEqual(certificate.dnsNames, [`${name}.${namespace}.svc`]);
  loadPolicySet([
    { name: "access-policy.yaml", text: text("access-policy") },
    { name: "release.yaml", text: RELEASE_POLICY },
  ]);
  const [access] = documents("access-policy");
  assert.equal(token.projected.sources[0].serviceAccountToken.audience, access.spec.oidc.audience);
  assert.equal(
    access.spec.rules[0].claims["/kubernetes.io/serviceaccount/name"],
    template.spec.serviceAccountName,
  );
  const policyOf = readPolicies("policies.yaml", ofKind("admission", "ConfigMap").data["policies.yaml"]);
  assert.equal(policyOf("default"), access.spec.rules[0].policies[0]);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { accessEdits } from "../../src/policy/access-edits.ts";
import { loadPolicySet } from "../../src/policy/load.ts";

const RELEASE = "{ claims: { repository: acme/widget, ref: refs/heads/main }, roles: [uploader] }";
const STAGING = "{ claims: { repository: acme/widget }, roles: [auditor] }";
const BROKER = "{ spiffeIds: [spiffe://acme.example/broker/*], roles: [issuer] }";
const GITHUB = "oidc: { use: github-actions, audience: vouchsafe }";

const document = (name: string, callers: string, ...rules: string[]) => `
apiVersion: vouchsafe.dev/v1
kind: AccessPolicy
metadata: { name: ${name} }
spec:
  ${callers}
  rules:
${rules.map((rule) => `    - ${rule}\n`).join("")}`;
const pipelines = (...rules: string[]) => document("pipelines", GITHUB, ...rules);
const brokers = document("brokers", "svid: { trustDomain: acme.example }", BROKER);

function edits(before: readonly string[], after: readonly string[]) {
  const access = (texts: readonly string[]) =>
    loadPolicySet(texts.map((text, i) => ({ name: `${i}.yaml`, text }))).access;
  return accessEdits(access(before), access(after));
}

/** Each rule that differs in a line. */
function told(before: readonly string[], after: readonly string[]): string[] {
  return edits(before, after).flatMap(({ name, change, rules }) => [
    `${change} ${name}`,
    ...rules.map(({ change, who, gives }) => {
      const asked = who.map(({ of, patterns }) => `${of}=${patterns.join("|")}`).join(" ");
      const [was, is] = [gives.before, gives.after].map((one) => one?.roles.join("+") ?? "-");
      return `${change} ${asked} ${was} > ${is}`;
    }),
  ]);
}

test("policies are told whole, and of those that stay the rules that differ", () => {
  assert.deepEqual(told([pipelines(RELEASE)], [pipelines(RELEASE)]), ["unchanged pipelines"]);
  assert.deepEqual(told([], [brokers]), [
    "added brokers",
    "added spiffeIds=spiffe://acme.example/broker/* - > issuer",
  ]);
  assert.deepEqual(told([pipelines(RELEASE)], []), [
    "removed pipelines",
    "removed repository=acme/widget ref=refs/heads/main uploader > -",
  ]);
  assert.deepEqual(told([pipelines(RELEASE)], [pipelines(RELEASE, STAGING)]), [
    "changed pipelines",
    "added repository=acme/widget - > auditor",
  ]);
  assert.deepEqual(told([pipelines(STAGING)], [pipelines(STAGING.replace("auditor", "auditor, operator"))]), [
    "changed pipelines",
    "changed repository=acme/widget auditor > auditor+operator",
  ]);
  assert.deepEqual(told([pipelines(STAGING)], [pipelines(STAGING.replace("acme/widget", "acme/*"))]), [
    "changed pipelines",
    "added repository=acme/* - > auditor",
    "removed repository=acme/widget auditor > -",
  ]);
});

test("the order of rules counts, for the first that takes a caller says all; roles have none", () => {
  assert.deepEqual(told([pipelines(RELEASE, STAGING)], [pipelines(STAGING, RELEASE)]), [
    "changed pipelines",
    "moved repository=acme/widget auditor > auditor",
    "moved repository=acme/widget ref=refs/heads/main uploader > uploader",
  ]);
  const [two, turned] = ["[uploader, auditor]", "[auditor, uploader]"].map((roles) =>
    RELEASE.replace("[uploader]", roles),
  ) as [string, string];
  assert.deepEqual(told([pipelines(two)], [pipelines(turned)]), ["changed pipelines"]);
});

test("rules that take the same are told apart, and so are the callers that a policy is about", () => {
  assert.deepEqual(told([pipelines(STAGING, STAGING)], [pipelines(STAGING)]), [
    "changed pipelines",
    "removed repository=acme/widget auditor > -",
  ]);
  const other = document("pipelines", "oidc: { use: github-actions, audience: other, once: true }", STAGING);
  const [edit] = edits([pipelines(STAGING)], [other]);
  assert.deepEqual(edit?.callers, {
    before: "tokens of https://token.actions.githubusercontent.com for vouchsafe",
    after: "tokens of https://token.actions.githubusercontent.com for other, each once",
  });
  assert.deepEqual(edit?.rules, []);
});

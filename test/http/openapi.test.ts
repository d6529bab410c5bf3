import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { curlOf } from "../../src/http/openapi/curl.ts";
import type { Content, OpenApiDocument, Operation } from "../../src/http/openapi/types.ts";
import { openNode, type TestNode } from "./node.ts";

const GOLDEN = new URL("../../testdata/openapi.golden.txt", import.meta.url);
/** What an OpenAPI 3.1 document and an operation in it may hold (§4.8.1, §4.8.10), of what we say. */
const OPERATION =
  /^(operationId|tags|summary|description|x-roles|parameters|requestBody|responses|security)$/;

let node: TestNode;
let document: OpenApiDocument;
before(async () => {
  node = await openNode({ VOUCHSAFE_OIDC_ISSUER: "https://vouchsafe.example.org" });
  document = (await node.app.inject("/openapi.json")).json();
});
after(() => node.close());

function operations(): { method: string; path: string; operation: Operation }[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
  );
}

test("what the API takes and gives is as agreed (UPDATE_GOLDEN=1 rewrites the agreement)", () => {
  const types = (content: Content = {}) =>
    Object.entries(content).map(([type, { schema }]) => {
      const shape = schema?.$ref?.split("/").at(-1) ?? Object.keys(schema?.properties ?? {}).join(",");
      return shape === "" ? type : `${type} {${shape}}`;
    });
  const lines = operations().map(({ method, path, operation }) => {
    const { operationId, tags, parameters = [], requestBody, responses } = operation;
    const named = parameters.map(
      (one) => one.$ref ?? `${one.in} ${one.name}${one.required === true ? "" : "?"}`,
    );
    return [
      `${method.toUpperCase()} ${path}  ${operationId}  [${tags.join()}]  ${operation["x-roles"]?.join(" ") ?? "public"}`,
      ...named.map((one) => `  ${one}`),
      ...types(requestBody?.content).map((one) => `  body ${one}`),
      ...Object.entries(responses).map(
        ([status, { $ref, content }]) => `  ${status} ${$ref ?? types(content).join(" | ")}`,
      ),
    ].join("\n");
  });
  const schemas = Object.entries(document.components.schemas).map(
    ([name, { properties, anyOf }]) =>
      `${name}: ${properties === undefined ? `one of ${anyOf?.length}` : Object.keys(properties).join(", ")}`,
  );
  const summary = `${[...lines, ...schemas.sort()].join("\n")}\n`;
  if (process.env.UPDATE_GOLDEN === "1") writeFileSync(GOLDEN, summary);
  assert.equal(summary, readFileSync(GOLDEN, "utf8"));
});

test("every reference leads to something, and every component is referred to", () => {
  const references = new Set(
    [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, to]) => to),
  );
  const { securitySchemes, ...components } = document.components;
  const there = Object.entries(components).flatMap(([kind, byName]) =>
    Object.keys(byName).map((name) => `components/${kind}/${name}`),
  );
  assert.deepEqual([...references].sort(), there.sort());
  for (const { operation } of operations())
    for (const scheme of operation.security.flatMap(Object.keys))
      assert.ok(scheme in securitySchemes, scheme);
});

test("every operation has a name of its own, a theme, words, its path's parameters, and nothing that OpenAPI does not know", () => {
  const ids = operations().map(({ operation }) => operation.operationId);
  assert.equal(new Set(ids).size, ids.length);
  const themes = document.tags.map(({ name }) => name);
  for (const { method, path, operation } of operations()) {
    const which = `${method} ${path}`;
    for (const member of Object.keys(operation)) assert.match(member, OPERATION, which);
    assert.ok(operation.summary, which);
    assert.ok(themes.includes(operation.tags[0] ?? ""), which);
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
    const described = (operation.parameters ?? []).filter((one) => one.in === "path").map(({ name }) => name);
    assert.deepEqual(described.sort(), inPath.sort(), which);
    for (const [status, { $ref, content }] of Object.entries(operation.responses))
      for (const { schema } of Object.values($ref === undefined ? (content ?? {}) : {}))
        assert.notDeepEqual(schema, {}, `${which} ${status} says nothing of its answer`);
  }
});

test("the reference page names every route, shape and code, loads nothing, and may run nothing", async () => {
  const { statusCode, headers, body } = await node.app.inject("/docs");
  assert.equal(statusCode, 200);
  assert.equal(headers["content-type"], "text/html; charset=utf-8");
  assert.match(String(headers["content-security-policy"]), /^default-src 'none';style-src 'sha256-[^']+';/);
  for (const { operation } of operations()) assert.ok(body.includes(`id="${operation.operationId}"`));
  for (const name of Object.keys(document.components.schemas))
    assert.ok(body.includes(`id="schema-${name}"`));
  for (const [, anchor = ""] of body.matchAll(/href="#([^"]*)"/g))
    assert.ok(body.includes(`id="${anchor}"`), anchor);
  assert.doesNotMatch(body, /<script|<link|<img|src=|style=|undefined|\[object/);
});

test("an example of each call that reads is a call that the server takes", async () => {
  const token = await node.token(["operator", "auditor", "issuer", "uploader", "approver"], {
    mayChoosePolicy: true,
  });
  const refused: string[] = [];
  for (const route of operations()) {
    if (route.method !== "get" || route.operation["x-roles"]?.join() === "agent") continue;
    if (/stream|watch/.test(route.path)) continue;
    const [, url = ""] = /"\$VOUCHSAFE_SERVER([^"]*)"/.exec(curlOf(route, document)) ?? [];
    const { statusCode, body } = await node.app.inject({
      url,
      headers: { authorization: `Bearer ${token}` },
    });
    // An example names what need not be there.
    if (statusCode !== 200 && statusCode !== 404) refused.push(`${url} was answered ${statusCode} ${body}`);
  }
  assert.deepEqual(refused, []);
});

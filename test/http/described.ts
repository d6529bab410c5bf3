import assert from "node:assert/strict";
import type { LightMyRequestResponse } from "fastify";
import { Compile } from "typebox/schema";
import type { App } from "../../src/http/app.ts";

interface Answer {
  readonly $ref?: string;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

interface Described {
  readonly paths: Readonly<Record<string, Record<string, { responses: Record<string, Answer> }>>>;
  readonly components: { readonly responses: Record<string, Answer> };
}

/**
 * Holds an answer to what /openapi.json says of its route, status and media type.
 *
 * @param route as in the golden file, e.g. `GET /artifacts/:digest`
 */
export function assertDescribed(app: App, route: string, answer: LightMyRequestResponse): void {
  const [method = "", path = ""] = route.split(" ");
  const { paths, components } = app.openApi() as unknown as Described;
  const { responses } = paths[path.replaceAll(/:(\w+)/g, "{$1}").replace("*", "{path}")]?.[
    method.toLowerCase()
  ] ?? {
    responses: {},
  };
  const family = `${Math.floor(answer.statusCode / 100)}XX`;
  const answered = responses[answer.statusCode] ?? responses[family];
  const described =
    answered?.$ref === undefined ? answered : components.responses[answered.$ref.split("/").at(-1) ?? ""];
  assert.ok(described, `${route} does not describe ${answer.statusCode}`);
  const mediaType = String(answer.headers["content-type"] ?? "").split(";")[0] ?? "";
  const schema = described.content?.[mediaType]?.schema;
  assert.ok(schema, `${route} ${answer.statusCode} does not describe ${mediaType}`);
  // References are to the document's components: they go with the schema.
  const compiled = Compile({ ...schema, components });
  for (const text of mediaType === "application/jsonl" ? answer.body.trim().split("\n") : [answer.body]) {
    const [isValid, errors] = compiled.Errors(JSON.parse(text));
    assert.ok(isValid, `${route} ${answer.statusCode}: ${JSON.stringify(errors)}\n${answer.body}`);
  }
}

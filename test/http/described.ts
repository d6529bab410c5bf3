import assert from "node:assert/strict";
import type { LightMyRequestResponse } from "fastify";
import { Compile, type XSchema } from "typebox/schema";
import type { App } from "../../src/http/app.ts";

interface Described {
  readonly paths: Readonly<
    Record<
      string,
      Record<string, { responses: Record<string, { content?: Record<string, { schema: XSchema }> }> }>
    >
  >;
}

/**
 * Holds an answer to what /openapi.json says of its route, status and media type.
 *
 * @param route as in the golden file, e.g. `GET /artifacts/:digest`
 */
export function assertDescribed(app: App, route: string, answer: LightMyRequestResponse): void {
  const [method = "", path = ""] = route.split(" ");
  const { paths } = app.swagger() as unknown as Described;
  const { responses } = paths[path.replaceAll(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()] ?? {
    responses: {},
  };
  const family = `${Math.floor(answer.statusCode / 100)}XX`;
  const described = responses[answer.statusCode] ?? responses[family];
  assert.ok(described, `${route} does not describe ${answer.statusCode}`);
  const mediaType = String(answer.headers["content-type"] ?? "").split(";")[0] ?? "";
  const schema = described.content?.[mediaType]?.schema;
  assert.ok(schema, `${route} ${answer.statusCode} does not describe ${mediaType}`);
  const compiled = Compile(schema);
  for (const text of mediaType === "application/jsonl" ? answer.body.trim().split("\n") : [answer.body]) {
    const [isValid, errors] = compiled.Errors(JSON.parse(text));
    assert.ok(isValid, `${route} ${answer.statusCode}: ${JSON.stringify(errors)}\n${answer.body}`);
  }
}

import assert from "node:assert/strict";
import { test } from "node:test";
import { type TSchema, Type } from "typebox";
import { compileValidator, invalidMembers } from "../../src/http/validation.ts";

const Type_ = Type.Enum(["opened", "lifted"]);
const Query = Type.Object(
  {
    type: Type.Optional(Type.Union([Type_, Type.Array(Type_)])),
    target: Type.Optional(
      Type.Union([
        Type.Object({ digest: Type.String() }),
        Type.Object({ signer: Type.Object({ key: Type.String() }) }),
      ]),
    ),
  },
  { additionalProperties: false },
);

function wrongIn(schema: TSchema, value: unknown): string[] {
  const check = compileValidator({ schema, method: "GET", url: "/" });
  const checked = check(value);
  if (typeof checked !== "object" || !("error" in checked) || !Array.isArray(checked.error)) return [];
  return invalidMembers(checked.error, "querystring").map(({ path, message }) => `${path} ${message}`);
}

test("of a value that may be of several shapes it is told what is wrong in the nearest", () => {
  const cases: readonly (readonly [value: object, wrong: readonly string[]])[] = [
    [{ type: "opened" }, []],
    [{ type: ["opened", "lifted"] }, []],
    [{ type: "bogus" }, ["querystring/type must be one of opened, lifted"]],
    [{ type: ["opened", "bogus"] }, ["querystring/type/1 must be one of opened, lifted"]],
    [{ target: { signer: { key: 1 } } }, ["querystring/target/signer/key must be string"]],
    [
      { target: {} },
      [
        "querystring/target must have required properties digest",
        "querystring/target must have required properties signer",
      ],
    ],
    [
      { type: "bogus", other: 1 },
      ["querystring/type must be one of opened, lifted", "querystring/other is not a known member"],
    ],
  ];
  for (const [value, wrong] of cases)
    assert.deepEqual(wrongIn(Query, value).sort(), [...wrong].sort(), JSON.stringify(value));
});

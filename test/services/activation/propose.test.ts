import assert from "node:assert/strict";
import { after, test } from "node:test";
import { openNode } from "../../http/node.ts";
import { stopPostgres } from "../../support/postgres.ts";

after(stopPostgres);

test("a first start with no policy says that everything is denied", async (t) => {
  const node = await openNode();
  t.after(() => node.close());
  assert.match(node.v.warnings.join("\n"), /^There is no policy in \S+: everything would be denied\./m);
});

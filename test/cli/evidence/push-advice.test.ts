import assert from "node:assert/strict";
import { test } from "node:test";
import { pushAdvice } from "../../../src/cli/evidence/push-advice.ts";

test("what is refused for who signed it leads to the trust, once for all files", () => {
  const [keys, roots, ...more] = pushAdvice([
    "unknown-key",
    "signature-invalid",
    "unknown-key",
    "certificate-invalid",
  ]);
  assert.match(keys ?? "", /vouchsafe trust import KEY\.pem/);
  assert.match(roots ?? "", /vouchsafe trust import trusted_root\.json/);
  assert.deepEqual(more, []);
  assert.deepEqual(pushAdvice(["signature-invalid"]), []);
});

test("what broke off on its way is fetched anew", () => {
  assert.match(pushAdvice(["malformed-json"]).join(), /fetch it anew/);
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { serialOfArgument } from "../../../src/cli/arguments/serial.ts";

test("a serial number is taken as openssl shows it, and a jti as it is", () => {
  const serial = "73ba93a0f6d64d2ed9f41851be11f834";
  const cases = {
    [serial]: serial,
    [serial.toUpperCase()]: serial,
    "73:ba:93:a0:f6:d6:4d:2e:d9:f4:18:51:be:11:f8:34": serial,
    "73:BA:93:A0:F6:D6:4D:2E:D9:F4:18:51:BE:11:F8:34": serial,
    "qnyX-idebC5MqMMBPOsrfQ": "qnyX-idebC5MqMMBPOsrfQ",
    ABCDEF0123456789ABCDEF: "ABCDEF0123456789ABCDEF",
  };
  for (const [argument, taken] of Object.entries(cases)) assert.equal(serialOfArgument(argument), taken);
});

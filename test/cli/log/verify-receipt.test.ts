import { writeFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { openSession, type Session } from "../session.ts";
import { assertEnded, vouchsafe } from "../vouchsafe.ts";

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session.close());

test("who pushed holds the log to its receipts, and another log does not pass for it", async () => {
  const { $, path } = session;
  const pushed = await $("push", "release.json", "other.json", "--json");
  await writeFile(path("pushed.json"), pushed.stdout);
  await writeFile(path("log.key"), (await $("log", "key")).stdout);
  const key = ["--log-key", "log.key"];
  const held = await $("log", "verify-receipt", "pushed.json", ...key);
  assertEnded(held, 0, "stdout", /evidence\.accepted, recorded at 20[\s\S]*The set of receipts holds\. /);
  const [first] = (await $("log", "key")).stdout.split("\n");
  const { index } = JSON.parse(pushed.stdout).results[0].receipt;
  await writeFile(path("again.json"), (await $("log", "receipt", `${index}`)).stdout);
  assertEnded(
    await $("log", "verify-receipt", "again.json", "--log-key", first ?? ""),
    0,
    "stdout",
    /The receipt holds/,
  );

  // Of another installation, with more entries than the receipt's tree has.
  const other = await openSession();
  try {
    const env = { VOUCHSAFE_SERVER: other.server.url };
    const asked = await vouchsafe(["log", "verify-receipt", "pushed.json", ...key], { cwd: path("."), env });
    assertEnded(asked, 1, "stdout", /fails The log does not show that it still has[\s\S]*does not hold\. /);
  } finally {
    await other.close();
  }
});

test("a file without receipts, with a broken one, or for a server that is not there is told apart", async () => {
  const { $, path } = session;
  const key = ["--log-key", (await $("log", "key")).stdout.trim()];
  await writeFile(path("none.json"), '{"results": []}');
  assertEnded(await $("log", "verify-receipt", "none.json", ...key), 2, "stderr", /no receipt in none\.json/);
  await writeFile(path("broken.json"), '{"inclusionProof": 7}');
  assertEnded(await $("log", "verify-receipt", "broken.json", ...key), 2, "stderr", /one here does not/);
  // A bundle has proofs, of another kind of log.
  assertEnded(await $("log", "verify-receipt", "release.json", ...key), 2, "stderr", /one here does not/);
  const away = ["--server", "http://127.0.0.1:9", "log", "verify-receipt", "again.json", ...key];
  assertEnded(await $(...away), 3, "stderr", /code: unreachable/);
});

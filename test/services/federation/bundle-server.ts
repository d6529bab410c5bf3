import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { der, sequence } from "../../../src/der/writer.ts";
import { spiffeId } from "../../../src/identity/spiffe-id.ts";
import { writeTrustBundle } from "../../../src/identity/trust-bundle.ts";
import { createX509Minter, serialFrom } from "../../../src/identity/x509-svid.ts";
import { EXTENSION } from "../../../src/x509/oids.ts";
import { writePem } from "../../../src/x509/pem.ts";
import type { TestAuthority } from "../../identity/trust-domain.ts";
import { issue, keyPem, pemOf } from "../../trust/certificates.ts";
import { extension, newKeys } from "../../verify/issued-certificates.ts";

/** What a TLS server shows, PEM. */
export interface Shown {
  readonly cert: string;
  readonly key: string;
}

/** A web server's certificate for 127.0.0.1, and the root that issued it. */
export function webCertificate(): Shown & { readonly root: string } {
  const root = issue("A web authority");
  const address = extension(EXTENSION.subjectAltName, sequence(der(0x87, Buffer.of(127, 0, 0, 1))));
  const leaf = issue("web", { issuer: root, ca: false, more: [address] });
  return { cert: pemOf(leaf), key: keyPem(leaf), root: pemOf(root) };
}

/** An X.509-SVID of this path, good for an hour around `now`. */
export async function svidCertificate(authority: TestAuthority, path: string, now: number): Promise<Shown> {
  const { publicKey, privateKey } = newKeys();
  const svid = await createX509Minter(authority)({
    spki: publicKey.export({ format: "der", type: "spki" }),
    spiffeId: spiffeId(authority.trustDomain, path),
    serial: serialFrom(randomBytes(16)),
    notBefore: now - 1_800_000,
    notAfter: now + 1_800_000,
  });
  return { cert: writePem("CERTIFICATE", svid), key: keyPem({ key: privateKey }) };
}

/** The document of a test authority's bundle. */
export function documentOf({ bundle }: TestAuthority, sequence?: number, refreshHint?: number): string {
  return JSON.stringify(
    writeTrustBundle({
      ...bundle,
      ...(sequence !== undefined && { sequence }),
      ...(refreshHint !== undefined && { refreshHint }),
    }),
  );
}

/** A bundle endpoint that answers as it is told. */
export async function serveBundles(shown: Shown, answer: (response: ServerResponse) => void) {
  let answering = answer;
  let requests = 0;
  const server = createServer(shown, (_request, response) => {
    requests += 1;
    answering(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/bundle`,
    requests: () => requests,
    answer(next: (response: ServerResponse) => void) {
      answering = next;
    },
    show: (next: Shown) => server.setSecureContext(next),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

export type BundleServer = Awaited<ReturnType<typeof serveBundles>>;

export function text(body: string, status = 200, headers: Record<string, string> = {}) {
  return (response: ServerResponse) => void response.writeHead(status, headers).end(body);
}

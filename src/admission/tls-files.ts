import { readFile } from "node:fs/promises";
import type { Server } from "node:https";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import { VouchsafeError } from "../errors.ts";

export interface TlsFiles {
  /** The certificate and what leads to its root, PEM. */
  readonly cert: string;
  readonly key: string;
  /** Who signs certificates of clients, PEM; absent: none is asked for. */
  readonly clientCa?: string;
}

/** How often files are looked at, in milliseconds: cert-manager renews weeks before the end, and the kubelet writes within two minutes. */
const LOOK = 10_000;

/** Throws `configuration-invalid` for files that cannot be read, or are not a certificate and its key. */
export async function readTls(files: TlsFiles): Promise<SecureContextOptions> {
  try {
    const [cert, key, ca] = await Promise.all([
      readFile(files.cert),
      readFile(files.key),
      files.clientCa === undefined ? undefined : readFile(files.clientCa),
    ]);
    const options = { cert, key, minVersion: "TLSv1.2", ...(ca && { ca }) } as const;
    createSecureContext(options);
    return options;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new VouchsafeError(
      "configuration-invalid",
      `${Object.values(files).join(", ")} are no certificate and its key in PEM: ${why}`,
      { cause },
    );
  }
}

/**
 * Serves new connections with what the files say now. While they are being written, or do not fit, the last that did are kept.
 *
 * @returns what ends it
 */
export function keepTls(
  server: Server,
  files: TlsFiles,
  first: SecureContextOptions,
  report: (event: "tls-renewed" | "tls-refused", problem?: string) => void,
  look = LOOK,
): () => void {
  let now = textOf(first);
  let refused = "";
  const timer = setInterval(async () => {
    try {
      const next = await readTls(files);
      refused = "";
      if (textOf(next) === now) return;
      server.setSecureContext(next);
      now = textOf(next);
      report("tls-renewed");
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== refused) report("tls-refused", problem);
      refused = problem;
    }
  }, look);
  return () => clearInterval(timer);
}

function textOf({ cert, key, ca }: SecureContextOptions): string {
  return [cert, key, ca].join("\n");
}

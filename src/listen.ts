import { once } from "node:events";
import type { AddressInfo, Server } from "node:net";
import { VouchsafeError } from "./errors.ts";

export interface ListenAddress {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/**
 * Has a server listen, and says at which `HOST:PORT`, as a URL has it.
 *
 * @throws VouchsafeError `configuration-invalid` for an address that cannot be listened on
 */
export async function listen(server: Server, { host, port }: ListenAddress): Promise<string> {
  server.listen({ host, port });
  try {
    await once(server, "listening");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new VouchsafeError("configuration-invalid", `${host}:${port} cannot be listened on: ${why}`, {
      cause,
    });
  }
  const { port: bound } = server.address() as AddressInfo;
  return `${host.includes(":") ? `[${host}]` : host}:${bound}`;
}

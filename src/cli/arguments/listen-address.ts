import { UsageError } from "../usage-error.ts";

/** `HOST:PORT` as --listen has it; an IPv6 address stands in brackets. */
export function parseListenAddress(listen: string): { host: string; port: number } {
  const [, host = "", port = ""] = /^(\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+):([0-9]{1,5})$/.exec(listen) ?? [];
  if (host === "" || Number(port) > 65_535) {
    throw new UsageError(`--listen takes HOST:PORT, such as 127.0.0.1:8090, and not ${listen}`);
  }
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}

/**
 * Loaded before the Sigstore client: its HTTP agent reads the proxy settings once, at load, and would send
 * requests for this machine through a configured proxy too.
 */
process.env.no_proxy = [process.env.no_proxy ?? process.env.NO_PROXY, "127.0.0.1"].filter(Boolean).join(",");

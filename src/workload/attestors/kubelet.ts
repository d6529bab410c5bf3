import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { VouchsafeError } from "../../errors.ts";
import { denied } from "../denied.ts";
import { type Attestor, NOTHING } from "./attestor.ts";
import { imageComponent, noAnswer, ownCgroups } from "./container.ts";
import { containerOf } from "./container-cgroup.ts";
import { getJson } from "./get-json.ts";
import { type PodContainer, parsePodList } from "./pod-list.ts";

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";
export const KUBELET_URL = "https://127.0.0.1:10250";
export const KUBELET_TOKEN = `${SERVICE_ACCOUNT}/token`;
export const KUBELET_CA = `${SERVICE_ACCOUNT}/ca.crt`;

export interface KubeletOptions {
  /** Base URL. Without TLS (the read-only port) only on this host, and no token is sent. */
  readonly url: string;
  /** Read anew for each request: the kubelet replaces projected tokens before they end. */
  readonly tokenFile: string;
  /** PEM: who may sign the kubelet's certificate. Undefined: nobody is asked, and whoever answers there is believed. */
  readonly caFile: string | undefined;
  /** Milliseconds for one request, and for all tries while a container is not listed. */
  readonly timeout?: number;
  /** Milliseconds for which one list answers for all. */
  readonly keep?: number;
}

/** 110 pods are a kubelet's usual limit; each takes some ten kilobytes. */
const MAX_BYTES = 64 * 1024 * 1024;
const TIMEOUT = 5_000;
const KEEP = 5_000;
/** Milliseconds before the list is asked for again that did not have a container yet; doubled each time. */
const FIRST_RETRY = 100;
const LONGEST_RETRY = 1_000;
const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "localhost"]);

interface List {
  readonly asOf: number;
  readonly containers: ReadonlyMap<string, PodContainer>;
}

/**
 * Attests what pods run: the cgroup says which pod's container a process is in, and the node's kubelet (`GET /pods`)
 * what that is. Throws `VouchsafeError` (`configuration-invalid`) for a URL that it must not use.
 */
export function kubeletAttestor(options: KubeletOptions): Attestor {
  const { tokenFile, caFile, timeout = TIMEOUT, keep = KEEP } = options;
  const base = kubeletUrl(options.url);
  let latest: List | undefined;
  let asking: Promise<List> | undefined;

  async function fetchList(): Promise<List> {
    const asOf = performance.now();
    const isTls = base.protocol === "https:";
    const { status, body } = await getJson({
      url: new URL("pods", base),
      headers: isTls ? { authorization: `Bearer ${(await readFile(tokenFile, "utf8")).trim()}` } : {},
      tls: caFile === undefined ? { rejectUnauthorized: false } : { ca: await readFile(caFile) },
      maxBytes: MAX_BYTES,
      signal: AbortSignal.timeout(timeout),
    });
    if (status !== 200) throw new Error(`the kubelet answered ${status}`);
    latest = { asOf, containers: parsePodList(body) };
    return latest;
  }

  /** A list that was asked for at `since` or later. One request serves everybody who waits for such a one. */
  async function listSince(since: number): Promise<List> {
    while (latest === undefined || latest.asOf < since) {
      asking ??= fetchList().finally(() => {
        asking = undefined;
      });
      await asking;
    }
    return latest;
  }

  /** A new pod's containers run before the kubelet lists them: so it is asked again, for a while. */
  async function lookUp(id: string): Promise<PodContainer | undefined> {
    const started = performance.now();
    let since = started - keep;
    for (let wait = FIRST_RETRY; ; wait = Math.min(LONGEST_RETRY, 2 * wait)) {
      const found = (await listSince(since)).containers.get(id);
      // Its image may not be known yet either.
      if (found?.image !== undefined) return found;
      if (performance.now() + wait - started > timeout) return found;
      if (since >= started) await sleep(wait);
      since = performance.now();
    }
  }

  return {
    name: "k8s",
    async attest({ status }) {
      const container = containerOf(status.cgroups, await ownCgroups());
      if (container?.podUid === undefined) return NOTHING;
      const found = await lookUp(container.id).catch((cause) => {
        throw noAnswer("k8s", (cause as Error).message, cause);
      });
      if (found === undefined) throw noAnswer("k8s", "the kubelet lists no such container");
      if (!found.podUids.includes(container.podUid)) {
        throw denied("container-mismatch", "The process's cgroup bears the name of another pod's container");
      }
      return { selectors: found.selectors, ...imageComponent(found.image) };
    },
  };
}

function kubeletUrl(text: string): URL {
  const url = URL.parse(text);
  const isLocal = url?.protocol === "http:" && LOOPBACK.has(url.hostname);
  if (url === null || url.pathname !== "/" || (url.protocol !== "https:" && !isLocal)) {
    throw new VouchsafeError(
      "configuration-invalid",
      `${text} is no kubelet's URL: https://HOST:PORT, or http:// on this host alone`,
    );
  }
  return url;
}

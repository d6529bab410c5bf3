import type { InspectedContainer } from "./container.ts";
import { getJson, type JsonAnswer } from "./get-json.ts";
import { imageDigestIn, imageDigestOf } from "./image-digest.ts";
import { type Fields, fieldsOf, listOf, textOf } from "./json-fields.ts";
import { labelSelectors } from "./labels.ts";

export const DOCKER_SOCKET = "/var/run/docker.sock";
/** The newest version of the Engine API of which these answers are known; older daemons answer in their own. */
const NEWEST = 44;
const OLDEST = 24;
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Asks a Docker daemon (or Podman's, which speaks the same) by the Engine API,
 * https://docs.docker.com/reference/api/engine/ : `ContainerInspect` and `ImageInspect`.
 */
export function dockerInspector(socketPath: string) {
  async function get(path: string, signal: AbortSignal): Promise<JsonAnswer> {
    const url = new URL(path, "http://docker");
    return getJson({ url, socketPath, maxBytes: MAX_BYTES, signal });
  }
  /** Undefined for what is not there. */
  async function inspect(path: string, signal: AbortSignal): Promise<Fields | undefined> {
    const { status, body } = await get(path, signal);
    if (status === 404) return undefined;
    if (status !== 200) throw new Error(`docker answered ${status}`);
    return fieldsOf(body, path);
  }

  return async (id: string, signal: AbortSignal): Promise<InspectedContainer | undefined> => {
    const api = `/v${apiVersionOf(await get("/_ping", signal))}`;
    const container = await inspect(`${api}/containers/${id}/json`, signal);
    if (container === undefined) return undefined;
    const state = fieldsOf(container.State, "State");
    const config = fieldsOf(container.Config, "Config");
    const imageId = textOf(container.Image, "Image");
    const image = await inspect(`${api}/images/${encodeURIComponent(imageId)}/json`, signal);
    if (image !== undefined && imageDigestIn(textOf(image.Id, "Id")) !== imageDigestIn(imageId)) {
      throw new Error("docker answered for another image");
    }
    const pulledAs = listOf(image?.RepoDigests, "RepoDigests").map((name) => textOf(name, "RepoDigests"));
    return {
      id: textOf(container.Id, "Id"),
      initPid: state.Running === true && Number.isSafeInteger(state.Pid) ? Number(state.Pid) : 0,
      selectors: [
        `docker:image_id:${textOf(config.Image, "Config.Image")}`,
        `docker:image_config_digest:${imageId}`,
        ...labelSelectors("docker:label", config.Labels),
      ],
      image: imageDigestOf(pulledAs, imageId),
    };
  };
}

/** The daemon says its own in a header; it takes every version down to its oldest. */
function apiVersionOf({ headers }: JsonAnswer): string {
  const said = /^1\.(\d{2})$/.exec(String(headers["api-version"]))?.[1];
  const minor = Math.min(Number(said), NEWEST);
  if (!(minor >= OLDEST)) throw new Error("docker does not say which API it speaks");
  return `1.${minor}`;
}

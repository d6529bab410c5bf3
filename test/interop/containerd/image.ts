import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestOf } from "../../../src/in-toto-attestation/digest.ts";
import type { Digest } from "../../../src/in-toto-attestation/types.ts";

const OCI = "application/vnd.oci.image";

export interface BuiltImage {
  /** An OCI image layout's directory. */
  readonly layout: string;
  /** The same in a tar archive. */
  readonly archive: string;
  readonly index: Digest;
  readonly config: Digest;
}

/** An image of one layer: an index with one manifest. @param files names of files of the directory; the first is what it runs */
export async function buildImage(
  directory: string,
  name: string,
  files: readonly string[],
  label: string,
): Promise<BuiltImage> {
  const layout = join(directory, `layout-${label}`);
  await mkdir(join(layout, "blobs/sha256"), { recursive: true });
  const put = async (kind: string, bytes: Uint8Array | object) => {
    const content = bytes instanceof Uint8Array ? bytes : Buffer.from(JSON.stringify(bytes));
    const hex = hash("sha256", content);
    await writeFile(join(layout, "blobs/sha256", hex), content);
    return { mediaType: `${OCI}.${kind}`, digest: digestOf("sha256", hex), size: content.length };
  };
  const tar = join(directory, `${label}.layer`);
  execFileSync("tar", ["-C", directory, "-cf", tar, ...files]);
  const platform = { os: "linux", architecture: process.arch === "arm64" ? "arm64" : "amd64" };
  const layer = await put("layer.v1.tar", await readFile(tar));
  const config = await put("config.v1+json", {
    ...platform,
    config: { Entrypoint: [`/${files[0]}`], Labels: { label } },
    rootfs: { type: "layers", diff_ids: [layer.digest] },
  });
  const manifest = await put("manifest.v1+json", { schemaVersion: 2, config, layers: [layer] });
  const index = await put("index.v1+json", { schemaVersion: 2, manifests: [{ ...manifest, platform }] });
  const annotations = { "io.containerd.image.name": name };
  const top = { schemaVersion: 2, manifests: [{ ...index, annotations }] };
  await writeFile(join(layout, "index.json"), JSON.stringify(top));
  await writeFile(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  const archive = join(directory, `${label}.tar`);
  execFileSync("tar", ["-C", layout, "-cf", archive, "."]);
  return { layout, archive, index: index.digest, config: config.digest };
}

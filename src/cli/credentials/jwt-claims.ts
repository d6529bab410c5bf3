/** What the bearer of a JWT needs to know of it. Nothing is verified here: that is whom it is shown to. */
export interface JwtClaims {
  readonly audiences: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt?: number;
}

/** RFC 7519. Undefined for any other token. */
export function readJwtClaims(token: string): JwtClaims | undefined {
  const [, payload, signature, ...more] = token.split(".");
  if (payload === undefined || signature === undefined || more.length > 0) return undefined;
  try {
    const { aud, exp } = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
    return {
      audiences: [aud ?? []].flat().filter((audience) => typeof audience === "string"),
      ...(typeof exp === "number" && { expiresAt: exp * 1000 }),
    };
  } catch {
    return undefined;
  }
}

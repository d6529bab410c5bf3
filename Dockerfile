# The server as a container image. It refuses the embedded database, which never fsyncs: give DATABASE_URL.
#
# The base image is the official node:24.21.0-bookworm-slim (index for amd64, arm64 and ppc64le); its digest is the
# one that github.com/docker-library/repo-info records in repos/node/remote/24.21.0-bookworm-slim.md. To move on:
# `docker buildx imagetools inspect node:<version>-bookworm-slim`, and change all three lines.

FROM node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build

# The image brings Node itself, so the packages that bring one to older machines are left out.
FROM node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6 AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts

FROM node:24.21.0-bookworm-slim@sha256:0e0ff40c39bc087845bfb27465a0df4ea419520094bc35842ff83dd8cbe6f9b6
WORKDIR /app
# The log's key, the largest tree head that was acknowledged, and the cache of Sigstore's trust root live here.
RUN install -d -o node -g node -m 0700 /var/lib/vouchsafe
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY package.json LICENSE ./
COPY policies ./policies
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    VOUCHSAFE_REQUIRE_POSTGRES=1 \
    VOUCHSAFE_DATA_DIR=/var/lib/vouchsafe \
    VOUCHSAFE_POLICIES=/app/policies
VOLUME /var/lib/vouchsafe
EXPOSE 8080
# By number, so that Kubernetes' runAsNonRoot can tell that it is not root. 1000 is the base image's `node`.
USER 1000:1000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then(r => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/http/main.js"]

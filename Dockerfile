# The gateway as an image: the files of `npm run release` and Node, nothing that builds or installs.
#
# Both stages stand on NODE_IMAGE. The default is a tag, so that it gets Debian's and Node's fixes at
# every build with `--pull`; name it with the digest that you have checked to pin it:
#   docker build --build-arg NODE_IMAGE=node:24-bookworm-slim@sha256:… .
ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY . .
RUN npm run release -- --no-node && mv release/nzgw-* /app && chmod -R a+rX,go-w /app

FROM ${NODE_IMAGE}
ARG NZGW_VERSION=0.1.0
ARG NZGW_REVISION=unknown
ARG NZGW_CREATED=unknown
LABEL org.opencontainers.image.title="neuronetz-gateway" \
  org.opencontainers.image.description="Keys, tenants, limits, budgets and audit in front of Ollama" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="${NZGW_VERSION}" \
  org.opencontainers.image.revision="${NZGW_REVISION}" \
  org.opencontainers.image.created="${NZGW_CREATED}"
# What can fetch and install programs has no place beside a running service.
RUN rm -rf /usr/local/lib/node_modules /opt/yarn* /usr/local/bin/npm /usr/local/bin/npx \
  /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg /usr/local/bin/docker-entrypoint.sh \
  && ln -s /app/dist/bin/nzgw.js /usr/local/bin/nzgw
COPY --from=build /app /app
WORKDIR /app
# The public listener has to be reached from other containers. The admin listener (health in detail,
# metrics) keeps its default, the loopback of the container: nothing on any network reaches it.
ENV NODE_ENV=production \
  NZGW_HOST=0.0.0.0
# A number: a user that no image and no host has by accident, and that Kubernetes can see is not root.
USER 10001:10001
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["node", "/app/dist/bin/nzgw.js", "status"]
ENTRYPOINT ["node", "/app/dist/bin/nzgw.js"]
CMD ["serve"]

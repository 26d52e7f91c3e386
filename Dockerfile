# pid1lint in an image: docker run --rm -v "$PWD:/work" pid1lint
FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/pid1lint && /opt/pid1lint/bin/pip install --no-cache-dir .

FROM python:3.13-slim
COPY --from=build /opt/pid1lint /opt/pid1lint
WORKDIR /work
# A mounted directory belongs to somebody else.
USER 65534:65534
ENTRYPOINT ["/opt/pid1lint/bin/pid1lint"]

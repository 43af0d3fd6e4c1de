# The model service alone: docker build -f deploy/models.Dockerfile -t voltwin-models .
# docker run -p 8100:8100 -v ./own-files:/files:ro voltwin-models --files /files
FROM python:3.11-slim AS build
WORKDIR /source
COPY . .
# Versions as locked; the models need few of them, but the package states all of voltwin's.
RUN python -m venv /opt/voltwin \
 && /opt/voltwin/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && /opt/voltwin/bin/pip install --no-cache-dir --no-deps .

FROM python:3.11-slim
COPY --from=build /opt/voltwin /opt/voltwin
RUN useradd --system --no-create-home voltwin
USER voltwin
EXPOSE 8100
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s CMD \
  ["/opt/voltwin/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8100/health', timeout=2)"]
ENTRYPOINT ["/opt/voltwin/bin/voltwin", "models", "serve", "--host", "0.0.0.0", "--port", "8100"]

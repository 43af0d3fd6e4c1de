# The model service alone: docker build -f deploy/models.Dockerfile -t voltwin-models .
# docker run -p 8100:8100 -v ./own-files:/files:ro voltwin-models --files /files
FROM python:3.11-slim AS build
WORKDIR /source
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.11-slim
# Versions as locked; the models need few of them, but the wheel states all of voltwin's.
COPY requirements.lock /tmp/requirements.lock
COPY --from=build /wheels /tmp/wheels
RUN pip install --no-cache-dir --require-hashes -r /tmp/requirements.lock \
 && pip install --no-cache-dir --no-deps /tmp/wheels/*.whl \
 && rm -r /tmp/wheels /tmp/requirements.lock \
 && useradd --system --no-create-home voltwin
USER voltwin
EXPOSE 8100
HEALTHCHECK --interval=15s --timeout=3s --start-period=10s CMD \
  ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8100/health', timeout=2)"]
ENTRYPOINT ["voltwin", "models", "serve", "--host", "0.0.0.0", "--port", "8100"]

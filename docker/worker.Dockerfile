# A worker: one container for one GPU. torch comes from PyPI with its own CUDA libraries, so the host
# needs the NVIDIA driver and its container toolkit, and nothing else. Without a GPU it uses the CPU.
#   docker build -f docker/worker.Dockerfile -t atelier-worker .

FROM python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY bots bots
COPY tasks tasks
COPY imaging imaging
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
COPY requirements/worker.txt requirements/torch.txt /tmp/requirements/
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements/worker.txt \
 && pip install --no-cache-dir --requirement /tmp/requirements/torch.txt && rm -r /tmp/requirements
COPY --from=wheel /wheels /tmp/wheels
RUN pip install --no-cache-dir --no-deps /tmp/wheels/*.whl && rm -r /tmp/wheels
COPY docker/worker_healthy.py /usr/local/lib/worker_healthy.py

RUN useradd --uid 10001 --create-home atelier \
 && install -d -o atelier -g atelier /data /models
USER atelier
VOLUME ["/data", "/models"]
# Downloaded models are stored in /models, so that a new container does not download them again.
ENV ATELIER_HOME=/data ATELIER_LOG_FORMAT=json HF_HOME=/models PYTHONUNBUFFERED=1 \
    NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
# A large model takes minutes to load, and longer to download.
HEALTHCHECK --interval=15s --timeout=10s --start-period=15m --retries=4 \
  CMD ["python", "/usr/local/lib/worker_healthy.py"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["atelier"]
CMD ["worker"]

# Bots, the playground, the clock and the operator's commands: everything but rendering. No torch.
#   docker build -f docker/bot.Dockerfile -t atelier-bot .

FROM python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b AS wheel
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY bots bots
COPY tasks tasks
COPY imaging imaging
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13.15-slim-trixie@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b
COPY requirements/bots.txt /tmp/requirements.txt
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement /tmp/requirements.txt && rm /tmp/requirements.txt
COPY --from=wheel /wheels /tmp/wheels
RUN pip install --no-cache-dir --no-deps /tmp/wheels/*.whl && rm -r /tmp/wheels

# The data folder: pictures if no bucket is set, and the key that encrypts stored tokens.
RUN useradd --uid 10001 --create-home atelier && install -d -o atelier -g atelier /data
USER atelier
VOLUME /data
ENV ATELIER_HOME=/data ATELIER_LOG_FORMAT=json PYTHONUNBUFFERED=1
ENTRYPOINT ["atelier"]
CMD ["web"]

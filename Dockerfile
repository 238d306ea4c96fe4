# Two stages: the first builds the wheel, the second holds only what runs.
FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY requirements/run.txt requirements/
RUN python -m venv /opt/headwater \
 && /opt/headwater/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY collector collector
COPY templates templates
COPY static static
COPY snippet/dist snippet/dist
RUN /opt/headwater/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data --create-home headwater
COPY --from=build /opt/headwater /opt/headwater
ENV PATH=/opt/headwater/bin:$PATH \
    HEADWATER_DATA=/data \
    HEADWATER_CONSOLE_HOST=0.0.0.0 \
    PYTHONUNBUFFERED=1
USER 10001
VOLUME /data
EXPOSE 8080 8081
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["headwater"]
CMD ["serve"]

# Tempera in one container; docs/deploy.md says how to start it, alone and as several replicas.

# When the embedded model (93 MB) is fetched: "start" when it is first used, onto the volume; "build" into the image.
ARG WEIGHTS=start

FROM python:3.12-slim-bookworm AS app
# The model's runtime works on several processors with it.
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1000 --create-home tempera && install --directory --owner tempera --mode 700 /data /models
WORKDIR /app
COPY requirements.txt ./
COPY deploy/requirements.txt deploy/
RUN pip install --no-cache-dir --require-hashes -r requirements.txt -r deploy/requirements.txt
COPY app.py ./
COPY components components
COPY pages pages
COPY .streamlit/config.toml .streamlit/
COPY deploy/start deploy/
RUN python -m compileall -q app.py components pages
USER tempera
# A container has an address of its own, and is reached by what the operator publishes of it. The welcome message would ask
# a server on the internet for it.
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    STREAMLIT_SERVER_ADDRESS=0.0.0.0 \
    STREAMLIT_SERVER_PORT=8501 \
    STREAMLIT_LOGGER_HIDE_WELCOME_MESSAGE=true \
    TEMPERA_DATABASE_URL=sqlite:////data/runs.sqlite3 \
    TEMPERA_VOLUME=/data
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s CMD ["sh", "deploy/start", "healthy"]
CMD ["sh", "deploy/start"]

FROM app AS weights-at-start
ENV TEMPERA_CACHE_DIR=/data/models

FROM app AS weights-at-build
ENV TEMPERA_CACHE_DIR=/models
RUN umask 077 && python -c "from components.embedded.weights import ensure; from components.settings import read_settings; ensure(read_settings().cache_dir)"

FROM weights-at-${WEIGHTS}

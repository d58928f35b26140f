# The plain environment in a container; the study stays outside, so that its results do, too.
#   docker build -t refuseu .
#   docker run --rm -v "$PWD":/study -u "$(id -u)" refuseu --profile miniature
FROM python:3.11-slim-bookworm
RUN apt-get update && apt-get install -y --no-install-recommends gcc git libc6-dev && rm -rf /var/lib/apt/lists/*
COPY envs/install.py requirements.lock /tmp/
RUN cd /tmp && python install.py /venv requirements.lock && rm -rf /root/.cache
ENV PATH=/venv/bin:$PATH HOME=/tmp PYTHONNOUSERSITE=1
WORKDIR /study
ENTRYPOINT ["snakemake"]

# Training and compression pods.
#
#     docker build -f images/trainer.Dockerfile -t trainyard/trainer .
#
# Dependencies lie below, in a layer that only a change of a version rebuilds; our code lies above.
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}
# For GPUs: --build-arg TENSORFLOW="tensorflow[and-cuda]"
ARG TENSORFLOW=tensorflow-cpu
COPY images/install.sh images/requirements/trainer.txt /opt/trainyard/
RUN --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.pem \
    mv /opt/trainyard/trainer.txt /opt/trainyard/requirements.txt && sh /opt/trainyard/install.sh
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp
WORKDIR /tmp
CMD ["python", "-m", "trainyard_trainer"]

COPY api/trainyard_api /opt/trainyard/lib/trainyard_api
COPY trainer/trainyard_trainer /opt/trainyard/lib/trainyard_trainer
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/trainyard/lib
USER 65532:65532

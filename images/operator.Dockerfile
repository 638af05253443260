# The operator.
#
#     docker build -f images/operator.Dockerfile -t trainyard/operator .
#
# Dependencies lie below, in a layer that only a change of a version rebuilds; our code lies above.
ARG BASE=python:3.11-slim-bookworm
FROM ${BASE}
COPY images/install.sh images/requirements/operator.txt /opt/trainyard/
RUN --mount=type=secret,id=pip.conf --mount=type=secret,id=ca.pem \
    mv /opt/trainyard/operator.txt /opt/trainyard/requirements.txt && sh /opt/trainyard/install.sh
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/tmp
WORKDIR /tmp
CMD ["python", "-m", "trainyard_operator"]

COPY api/trainyard_api /opt/trainyard/lib/trainyard_api
COPY operator/trainyard_operator /opt/trainyard/lib/trainyard_operator
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/trainyard/lib
USER 65532:65532

# The command `sarakste` and what containers need beside it. Built from the top of the repository:
#     docker build --file infra/docker/sarakste.Dockerfile --tag sarakste:0.1.0 .
FROM python:3.13.16-slim-trixie AS build
WORKDIR /build
RUN ["python", "-m", "venv", "/opt/sarakste"]
COPY requirements/run.txt requirements/run.txt
RUN ["/opt/sarakste/bin/pip", "install", "--no-cache-dir", "--require-hashes", "-r", "requirements/run.txt"]
COPY pyproject.toml README.md LICENSE ./
COPY services services
COPY schemas schemas
COPY demo demo
RUN ["/opt/sarakste/bin/pip", "install", "--no-cache-dir", "--no-deps", "--no-build-isolation", "."]

FROM python:3.13.16-slim-trixie
# A new volume takes owner and mode of the folder that it is mounted over.
RUN ["install", "-d", "-o", "10001", "-g", "10001", "-m", "0700", \
     "/srv/authority", "/srv/shared", "/srv/broker-1", "/srv/broker-2", "/srv/broker-3", \
     "/srv/registrar", "/srv/commission", "/srv/school", "/srv/auditor", "/srv/archive", "/srv/verified"]
COPY --from=build /opt/sarakste /opt/sarakste
COPY infra/__init__.py /opt/sarakste/tools/infra/__init__.py
COPY infra/docker/*.py /opt/sarakste/tools/infra/docker/
COPY infra/kafka/__init__.py infra/kafka/settings.py /opt/sarakste/tools/infra/kafka/
ENV PATH=/opt/sarakste/bin:/usr/bin:/bin \
    PYTHONPATH=/opt/sarakste/tools \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /srv
ENTRYPOINT ["/opt/sarakste/bin/sarakste"]
CMD ["--help"]

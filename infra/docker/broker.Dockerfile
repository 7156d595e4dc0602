# A broker of Apache Kafka out of the files that infra/kafka/SHA256SUMS names, and no other. Built from the top of the repository:
#     docker build --file infra/docker/broker.Dockerfile --tag sarakste-broker:4.3.1 .
FROM maven:3.9.16-eclipse-temurin-17 AS files
WORKDIR /build
COPY infra/kafka/pom.xml infra/kafka/SHA256SUMS ./
RUN ["mvn", "-B", "-q", "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies", \
     "-DincludeScope=runtime", "-DoutputDirectory=/opt/kafka/libs"]
COPY infra/docker/check-files.sh ./
RUN ["sh", "check-files.sh", "SHA256SUMS", "/opt/kafka/libs"]

FROM eclipse-temurin:17.0.20.1_1-jre-noble
RUN ["install", "-d", "-o", "10001", "-g", "10001", "-m", "0700", "/srv/broker-1", "/srv/broker-2", "/srv/broker-3"]
COPY --from=files /opt/kafka/libs /opt/kafka/libs
COPY infra/kafka/log4j2.properties infra/docker/broker.sh infra/docker/broker-healthy.sh /opt/kafka/
USER 10001:10001
WORKDIR /srv
ENTRYPOINT ["/opt/kafka/broker.sh"]

#!/bin/sh
# Leaves with 0 if the broker of this container answers over TLS, asked with its own certificate. A health check.
set -eu
home=$(dirname "$0")
exec java -Xms32m -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData \
    "-Dlog4j2.configurationFile=$home/log4j2.properties" -cp "$home/libs/*" \
    org.apache.kafka.tools.ClusterTool cluster-id --bootstrap-server "$BROKER_ADDRESS" --config "$BROKER_FOLDER/client.properties"

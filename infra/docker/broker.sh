#!/bin/sh
# One broker: its folder, which `authority` has made, is formatted once; then this process becomes the broker.
set -eu
folder=$BROKER_FOLDER
home=$(dirname "$0")
# An exchange writes little: the quick compiler is enough for it, and a broker is there sooner.
java="java -Xms64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData -Dlog4j2.configurationFile=$home/log4j2.properties"
if [ ! -e "$folder/data/meta.properties" ]; then
    # shellcheck disable=SC2086
    $java -Xmx256m -cp "$home/libs/*" kafka.tools.StorageTool format -t "$(cat "$folder/cluster-id")" \
        -c "$folder/server.properties" --initial-controllers "$(cat "$folder/voters")"
fi
# shellcheck disable=SC2086
exec $java "-Xmx${BROKER_HEAP:-512m}" -cp "$home/libs/*" kafka.Kafka "$folder/server.properties"

#!/bin/bash
# Every KAFKA_SOME_SETTING of the environment is `some.setting` of the node, except those that are for the JVM.
set -eu
properties=/tmp/server.properties
: > "$properties"
while IFS='=' read -r -d '' name value; do
  case $name in
    KAFKA_HEAP_OPTS) ;;
    KAFKA_*)
      key=${name#KAFKA_}
      key=${key//_/.}
      printf '%s=%s\n' "${key,,}" "$value" >> "$properties"
      ;;
  esac
done < /proc/self/environ
java_args=(${KAFKA_HEAP_OPTS:--Xmx512m} -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp '/opt/kafka/libs/*')
java "${java_args[@]}" kafka.tools.StorageTool format --ignore-formatted \
  --cluster-id "${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}" --config "$properties"
exec java "${java_args[@]}" -XX:+ExitOnOutOfMemoryError kafka.Kafka "$properties"

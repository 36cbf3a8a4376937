# shellcheck shell=bash disable=SC2034 # its variables are used by those who source it
# The JVM flags of Kafka's bin/kafka-server-start.sh, for tests/kafka/broker, and without the heap those of bin/connect-mirror-maker.sh.
kafka_flags='-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent'
export BROKER_JVM="-Xms1g -Xmx1g $kafka_flags"

# Apache Kafka 4.x: the measure itself. Nothing is expected to differ.
name   kafka
about  Apache Kafka 4.x; nothing differs

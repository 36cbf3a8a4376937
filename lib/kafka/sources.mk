# lib/kafka
kafka_SRCS :=

# lib/kafka: the client side of Kafka's protocol
kafka_SRCS := \
	lib/kafka/conf.c \
	lib/kafka/conf_options.c \
	lib/kafka/conf_text.c

# lib/kafka: the client side of Kafka's protocol
kafka_SRCS := \
	lib/kafka/conf.c \
	lib/kafka/conf_options.c \
	lib/kafka/conf_text.c \
	lib/kafka/conn.c \
	lib/kafka/conn_call.c \
	lib/kafka/conn_frames.c \
	lib/kafka/conn_hint.c \
	lib/kafka/conn_login.c \
	lib/kafka/conn_reply.c \
	lib/kafka/conn_sasl.c \
	lib/kafka/conn_versions.c

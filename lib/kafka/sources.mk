# lib/kafka: the client side of Kafka's protocol
kafka_SRCS := \
	lib/kafka/cluster.c \
	lib/kafka/cluster_coord.c \
	lib/kafka/cluster_core.c \
	lib/kafka/cluster_fan.c \
	lib/kafka/cluster_lane.c \
	lib/kafka/cluster_lookup.c \
	lib/kafka/cluster_map.c \
	lib/kafka/cluster_nodes.c \
	lib/kafka/cluster_queue.c \
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

# refbroker: the reference broker. main.c is linked apart.
refbroker_SRCS := \
	refbroker/api/dispatch.c \
	refbroker/api/fetch_session.c \
	refbroker/api/h_configs.c \
	refbroker/api/h_fetch.c \
	refbroker/api/h_metadata.c \
	refbroker/api/h_offsets.c \
	refbroker/api/h_produce.c \
	refbroker/api/h_producer_id.c \
	refbroker/api/h_topics.c \
	refbroker/api/h_versions.c \
	refbroker/broker.c \
	refbroker/conn.c \
	refbroker/log/append.c \
	refbroker/log/cache.c \
	refbroker/log/fetch_wait.c \
	refbroker/log/object.c \
	refbroker/log/partition.c \
	refbroker/log/producers.c \
	refbroker/log/read.c \
	refbroker/log/reader.c \
	refbroker/log/replay.c \
	refbroker/log/run_index.c \
	refbroker/log/upload.c \
	refbroker/log/wal.c \
	refbroker/log/wal_format.c \
	refbroker/log/wal_recover.c \
	refbroker/meta/catalog.c \
	refbroker/meta/create.c \
	refbroker/meta/remove.c \
	refbroker/meta/topic_configs.c \
	refbroker/meta/topics.c \
	refbroker/net/server.c \
	refbroker/request.c \
	refbroker/stats.c

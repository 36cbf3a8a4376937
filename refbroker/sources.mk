# refbroker: the reference broker. main.c is linked apart.
refbroker_SRCS := \
	refbroker/log/cache.c \
	refbroker/log/partition.c \
	refbroker/log/producers.c \
	refbroker/log/run_index.c \
	refbroker/log/wal.c \
	refbroker/log/wal_format.c \
	refbroker/log/wal_recover.c \
	refbroker/meta/catalog.c \
	refbroker/meta/topic_configs.c \
	refbroker/meta/topics.c

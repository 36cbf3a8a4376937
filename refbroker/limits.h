/*
 * limits: everything that a peer, a file or time could make grow, with its bound, in one place.
 *
 * A limit that is hit is counted (stats.def) and answered as Kafka answers, or the connection is
 * closed.
 */
#ifndef REFBROKER_LIMITS_H
#define REFBROKER_LIMITS_H

#include <stddef.h>
#include <stdint.h>

/* Connections and requests. */
#define LIMIT_REQUEST_BYTES_MAX ((size_t)100 * 1024 * 1024) /* socket.request.max.bytes */
#define LIMIT_LOGIN_BYTES_MAX                                                                      \
    ((size_t)512 * 1024)            /* before a login: sasl.server.max.receive.size */
#define LIMIT_LOGIN_REQUESTS_MAX 64 /* until one is over */
#define LIMIT_CONNECTIONS_MAX 10000
#define LIMIT_FILES_RESERVED                                                                       \
    256 /* open files that connections leave to the log, objects and /metrics */
#define LIMIT_CONNECTION_REQUESTS_MAX 64 /* waiting on one connection */
#define LIMIT_CONNECTION_BYTES_MAX                                                                 \
    ((size_t)32 * 1024 * 1024) /* waiting on one connection, beyond the first request */
#define LIMIT_REQUESTS_BYTES_MAX ((size_t)512 * 1024 * 1024) /* waiting on all of them */
#define LIMIT_ARENA_BYTES_MAX                                                                      \
    ((size_t)64 * 1024 * 1024) /* decoded request, response and scratch of one request */
#define LIMIT_IDLE_MS 600000   /* connections.max.idle.ms */

/* Topics. */
#define LIMIT_TOPICS_MAX 100000
#define LIMIT_PARTITIONS_MAX 200000
#define LIMIT_PARTITIONS_PER_TOPIC_MAX 10000
#define LIMIT_TOPIC_NAME_BYTES_MAX 249

/* The log. */
#define LIMIT_READ_CACHE_BYTES_MAX ((size_t)64 * 1024 * 1024) /* runs read from objects */
#define LIMIT_RUN_BYTES                                                                            \
    ((size_t)1024 * 1024) /* a run in an object ends here (one larger batch is a run by itself) */
/* An upload of several times this becomes several objects, which are written at once. */
#define LIMIT_BUCKET_OBJECT_BYTES ((size_t)8 * 1024 * 1024)
#define LIMIT_FOLDER_OBJECT_BYTES ((size_t)32 * 1024 * 1024)
#define LIMIT_FETCH_BYTES_MAX ((int32_t)57671680) /* fetch.max.bytes of the broker */
#define LIMIT_PRODUCERS_PER_PARTITION_MAX 100000

/* A tick of the owner's thread, which is to stay below 2 ms. */
#define LIMIT_TICK_UNPACKED_BYTES                                                                  \
    ((size_t)64 * 1024) /* decompressed for validation; gzip, the slowest, makes 200 MB/s: 0.3 ms  \
                         */
#define LIMIT_TICK_RECORDS 20000 /* walked for validation, 25 ns each: 0.5 ms */
#define LIMIT_TICK_RUNS 20000    /* looked at for compaction, 10 ns each: 0.2 ms */

/* Groups. */
#define LIMIT_GROUPS_MAX 100000
#define LIMIT_GROUP_MEMBERS_MAX 10000
#define LIMIT_SHARE_CALLS_MAX                                                                      \
    256 /* of a share group's request to the share coordinator, at once                            \
         */
#define LIMIT_OFFSET_METADATA_BYTES_MAX 4096 /* offset.metadata.max.bytes */

/* Metrics of clients: see coord/client_instances.h, client_samples.h, client_report.h, otlp.h. */
#define LIMIT_CLIENT_TRAIT_BYTES_MAX 255 /* of a client's id or software; the rest is cut off */

/* Transactions. */
#define LIMIT_TRANSACTIONAL_IDS_MAX 100000
#define LIMIT_TXN_PARTITIONS_MAX ((size_t)1000000) /* in all transactions together */
#define LIMIT_VERIFICATIONS_MAX 100000             /* producers in partitions (verifications.h) */

/* Share groups: what they keep of their partitions. */
#define LIMIT_SHARE_STATES_MAX 100000             /* partitions of groups */
#define LIMIT_SHARE_STATE_BATCHES_MAX 20000       /* of one; its record stays below 1 MiB */
#define LIMIT_SHARE_BATCHES_MAX ((size_t)4000000) /* of all, 24 bytes each */
#define LIMIT_SHARE_ASK_PARTITIONS_MAX 10000      /* in one request about states */
#define LIMIT_SHARE_ASK_BATCHES_MAX 100000        /* that one such request may have looked at */

/* Fetch sessions. */
#define LIMIT_FETCH_SESSIONS_MAX 1000 /* max.incremental.fetch.session.cache.slots */
#define LIMIT_FETCH_SESSION_PARTS_MAX                                                              \
    1000000 /* partitions in all sessions together, some 200 bytes each */

/* Share groups. */
#define LIMIT_SHARE_SESSION_PARTS_MAX 1000000 /* partitions in all share sessions together */

/* Streams groups. */
#define LIMIT_STREAMS_SUBTOPOLOGIES_MAX 1000               /* of a topology */
#define LIMIT_STREAMS_TOPICS_MAX 10000                     /* that a topology names, twice or not */
#define LIMIT_STREAMS_TOPOLOGY_BYTES_MAX ((size_t)1000000) /* its record stays below 1 MiB */
#define LIMIT_STREAMS_TOPOLOGIES_BYTES_MAX ((size_t)1 << 30) /* of all groups, in memory */
#define LIMIT_STREAMS_MEMBER_BYTES_MAX 65536                 /* of what a member tells of itself */
#define LIMIT_STREAMS_TAGS_MAX 1000                          /* of a member */
#define LIMIT_STREAMS_FAILURES_MAX 1000 /* internal topics that could not be made, remembered */
#define LIMIT_STREAMS_TASKS_MAX 200000  /* of a group, and in one list of a member */

#endif

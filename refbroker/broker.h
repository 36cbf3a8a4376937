/*
 * broker: the sans-IO core. All state of the broker hangs here and is owned by one thread.
 *
 * Frames, connections and the clock come in; replies, and jobs for the lanes, go out. The core
 * knows no socket and no file but through its ports: refbroker/net feeds it from a loop, the
 * simulation from a seeded world.
 *
 *     broker
 *     ├── clients ── requests
 *     ├── topics ── partitions ── cached batches, producers, runs
 *     ├── cache (budget of all cached batches)
 *     ├── wal, uploader, reader   (log/)
 *     ├── catalog                 (meta/)
 *     ├── groups                  (coord/)
 *     ├── txns
 *     └── share_states
 *
 * Order within a tick: frames were dispatched as they came; then deadlines, completions of the
 * lanes, fetches that waited, requests that waited for an earlier one, the WAL's open group.
 */
#ifndef REFBROKER_BROKER_H
#define REFBROKER_BROKER_H

#include "lib/base/disk.h"
#include "lib/base/env.h"
#include "lib/base/err.h"
#include "lib/base/heap.h"
#include "lib/base/work.h"
#include "lib/store/store.h"
#include "refbroker/coord/group_settings.h"
#include "refbroker/coord/quota_meters.h"
#include "refbroker/log/cache.h"
#include "refbroker/meta/catalog.h"
#include "refbroker/meta/features.h"
#include "refbroker/meta/internal_topics.h"
#include "refbroker/meta/logins.h"
#include "refbroker/meta/topics.h"
#include "refbroker/request.h"
#include "refbroker/stats.h"

/* The lanes: one thread each. */
enum broker_lane {
    LANE_WAL,
    LANE_DB,
    LANE_CLEANER, /* and whatever else can wait */
    LANE_PUT,     /* the first of LANE_PUT_COUNT that write objects */
    LANE_PUT_COUNT = 4,
    LANE_READ = LANE_PUT + LANE_PUT_COUNT, /* the first of LANE_READ_COUNT that read them */
    LANE_READ_COUNT = 4,
    LANE_BATCH =
        LANE_READ + LANE_READ_COUNT, /* the first of LANE_BATCH_COUNT that validate batches */
    LANE_BATCH_COUNT = 2,
    LANE_COUNT = LANE_BATCH + LANE_BATCH_COUNT
};

struct cleaner;
struct client;
struct client_instances;
struct garbage;
struct groups;
struct uploader;
struct reader;
struct share_states;
struct txns;
struct coordinated;
struct share_partitions;
struct share_sessions;
struct fetch_sessions;
struct objects_sweep;
struct s3_url;
struct wal;

/* How the core reaches a connection's other side; `peer` is what broker_connect got. */
struct broker_ports {
    /* Sends pieces in order, then calls sent(arg); sent is called too when the connection goes away
     * first. False asks for no more until broker_drained. */
    bool (*send)(void *peer, const struct wire_fragment *pieces, size_t count,
        void (*sent)(void *arg), void *arg);
    /* Closes after what was sent before is out; broker_disconnect follows. */
    void (*close)(void *peer);
    /* Stops or resumes reading from the peer. */
    void (*pause)(void *peer, bool paused);
};

struct broker_options {
    struct disk *disk;
    const struct s3_url *store; /* where objects lie; NULL: in a folder of the disk */
    struct env *env;            /* with a store elsewhere a real one */
    struct work *work;          /* LANE_COUNT lanes */
    struct broker_ports ports;
    const char *host;        /* advertised */
    const char *data_folder; /* absolute path, as DescribeLogDirs names it */
    int32_t port;
    int32_t node_id;
    int32_t num_partitions; /* of topics made by use */
    bool auto_create_topics;
    size_t wal_file_bytes;
    size_t unstored_bytes_max;  /* in no object yet; beyond it producers wait */
    size_t upload_bytes;        /* an object is made when this much is not in objects yet */
    int64_t upload_interval_ms; /* or when the oldest of it is this old */
    size_t upload_object_bytes; /* an upload of several times this much becomes several objects */
    size_t cache_bytes;
    size_t read_cache_bytes; /* of runs read from objects */
    int64_t
        commit_interval_ms; /* coordinated path: a file is closed this long after its first batch */
    size_t commit_bytes;    /* or at this size */
    int64_t initial_task_delay_ms; /* log.initial.task.delay.ms */
    int64_t retention_check_ms;    /* log.retention.check.interval.ms */
    bool cleaner_enable;
    int64_t cleaner_backoff_ms;         /* log.cleaner.backoff.ms */
    size_t cleaner_dedupe_buffer_bytes; /* log.cleaner.dedupe.buffer.size */
    int64_t cleaner_io_bytes_per_s;     /* log.cleaner.io.max.bytes.per.second */
    int64_t garbage_check_ms;           /* how often objects without use are looked for */
    int64_t garbage_grace_ms;           /* how long they stay then */
    int64_t authorizer;                 /* authorizer.class.name: 1 keeps ACLs, 0 has none */
    int64_t idle_ms;                    /* connections.max.idle.ms */
    struct logins logins;
    int64_t login_refused_delay_ms;    /* connection.failed.authentication.delay.ms */
    int64_t txn_timeout_max_ms;        /* transaction.max.timeout.ms */
    int64_t txn_abort_interval_ms;     /* rounds that abort transactions which last too long */
    int64_t txn_id_expiration_ms;      /* transactional.id.expiration.ms */
    int64_t txn_id_remove_interval_ms; /* rounds that remove expired ids */
    int32_t share_updates_per_snapshot;
    int64_t share_cold_snapshot_ms;
    int64_t share_prune_ms;
    int64_t producer_id_expiration_ms; /* producer.id.expiration.ms */
    int64_t producer_id_expiration_check_ms;
    struct group_settings groups;
    struct feature_settings features;
    struct internal_topic_settings internal_topics[INTERNAL_TOPIC_COUNT];
    bool unstable_apis;         /* unstable.api.versions.enable */
    bool client_metrics;        /* kdl.client.metrics.enable */
    size_t telemetry_bytes_max; /* telemetry.max.bytes */
    struct map given; /* name -> text of what was given at the start (broker_configs_give) */
};

struct broker {
    struct broker_options options;
    struct env *env;
    char cluster_id[32];
    struct list clients;
    struct list ready_clients; /* whose next requests may start */
    size_t requests_bytes;
    size_t intake_bytes;             /* of batches on the lanes that validate them */
    struct buf intake_rooms[1 + LANE_BATCH_COUNT]; /* intake's own */
    size_t tick_unpacked_bytes_left; /* what intake may still do in this tick */
    size_t tick_records_left;
    bool producers_blocked;    /* some wait for unstored_bytes_max */
    bool readers_blocked;      /* some wait until the WAL is loaded */
    const struct err *damage;  /* of acknowledged data, found behind the start; or NULL */
    int64_t frames_wall_us;    /* spent on frames since the last tick */
    int64_t tick_ended_cpu_us; /* the thread's CPU time when that one ended */
    struct topics topics;
    struct resource_configs resource_configs;
    struct quotas quotas;
    struct acls acls;
    struct scram_users scram_users;
    struct quota_meters quota_meters;
    struct features features;
    struct cache cache;
    struct catalog *catalog;
    struct store *store;
    struct objects_sweep *sweep; /* NULL: over, or not begun */
    struct wal *wal;
    struct uploader *uploader;
    struct reader *reader;
    struct coordinated *coordinated;
    struct groups *groups;
    struct txns *txns;
    struct share_states *share_states;
    struct share_partitions *share_partitions;
    struct share_sessions *share_sessions;
    struct verifications *verifications;
    struct garbage *garbage;
    struct cleaner *cleaner;
    struct client_instances *client_instances; /* NULL: nobody is asked for metrics */
    size_t client_reports_bytes;               /* of pushes of metrics that are being read */
    int64_t retention_next_ms;
    int64_t producer_expiry_next_ms;
    int64_t idle_next_ms;
    struct fetch_sessions *fetch_sessions;
    struct heap deadlines;      /* struct request.deadline */
    struct heap muted;          /* struct client.muted */
    struct list marked_fetches; /* struct fetch_waiter.marked */
    struct map creating;        /* names of topics whose creation is under way */
    int64_t producer_id_next;
    int64_t producer_id_end; /* ids below are reserved in the catalog */
    bool producer_ids_reserving;
    struct list producer_id_waiters; /* struct producer_ids_waiter */
    int64_t object_id_next;
    unsigned puts;
    bool stopping;
    struct stats stats;
};

/* broker_options_default fills in what the program uses without flags; disk, env, work and ports
 * are left empty. broker_options_fini frees what was given beside it. */
void broker_options_default(struct broker_options *options);
void broker_options_fini(struct broker_options *options);

/* broker_open reads the metadata and the WAL and is ready for connections. The options' texts must
 * live as long. */
MUST_CHECK enum rc broker_open(
    const struct broker_options *options, struct broker **out, struct err *e);

/* broker_close frees; parked requests are dropped. The lanes must be idle (broker_is_idle) or never
 * run again. */
void broker_close(struct broker *broker);

/* broker_connect begins a connection. `client_host` is copied. */
struct client *broker_connect(
    struct broker *broker, void *peer, const char *client_host, uint16_t client_port);

/* broker_drained goes on with a connection whose port had asked for no more. */
void broker_drained(struct broker *broker, struct client *client);

/* broker_frame_bytes_max tells how large the connection's next frame may be, without its length:
 * less for who has not logged in (sasl.server.max.receive.size). */
size_t broker_frame_bytes_max(const struct client *client);

/* broker_disconnect ends it: nothing more is sent, parked requests are dropped. */
void broker_disconnect(struct broker *broker, struct client *client);

/* broker_frame takes a request without its length prefix. The connection may be closed inside the
 * call (ports.close), never freed. */
void broker_frame(struct broker *broker, struct client *client, struct blob *frame_take);

/* broker_tick does what is due and returns the monotonic time (ms) at which it wants to be called
 * again at the latest. */
int64_t broker_tick(struct broker *broker);

/* broker_stop refuses new requests, commits what can be, and lets broker_is_idle become true. */
void broker_stop(struct broker *broker);
bool broker_is_idle(const struct broker *broker);

/* broker_damage tells of damage to acknowledged data that was found behind the start, NULL for
 * none. The process has to end then. */
const struct err *broker_damage(const struct broker *broker);

/* broker_abandon ends what waits for a store that does not answer, now and later: for the end of a
 * process, where the WAL keeps what is not in objects. */
void broker_abandon(struct broker *broker);

/* broker_finish sends the answer of a parked request, exactly once; broker_finish_as ends it as a
 * handler that returns `result` would (not H_PARK). No other request starts inside the call, since
 * it might change what the caller is at work on; that comes later in the tick. */
void broker_finish(struct broker *broker, struct request *request);
void broker_finish_as(struct broker *broker, struct request *request, enum h_result result);

/* broker_set_deadline has on_deadline called at a monotonic time unless the request is finished
 * before. */
void broker_set_deadline(
    struct broker *broker, struct request *request, int64_t at_ms, request_fn *on_deadline);

/* broker_unstored_bytes returns how much of what producers sent is held in memory because it lies
 * in no object yet. */
size_t broker_unstored_bytes(const struct broker *broker);

/* broker_next_object_id hands out object ids; they are reserved in the catalog with the object
 * itself. */
int64_t broker_next_object_id(struct broker *broker);

/* broker_put_lane names the lane that is to write the next object: one after the other. */
unsigned broker_put_lane(struct broker *broker);

#endif

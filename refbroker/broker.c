#include "refbroker/broker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/api/fetch_session.h"
#include "refbroker/api/share_session.h"
#include "refbroker/client.h"
#include "refbroker/coord/client_instances.h"
#include "refbroker/coord/group_expiry.h"
#include "refbroker/coord/groups.h"
#include "refbroker/coord/share_partitions.h"
#include "refbroker/coord/share_states.h"
#include "refbroker/coord/txns.h"
#include "refbroker/limits.h"
#include "refbroker/log/append.h"
#include "refbroker/log/cleaner.h"
#include "refbroker/log/coordinated.h"
#include "refbroker/log/fetch_wait.h"
#include "refbroker/log/garbage.h"
#include "refbroker/log/intake.h"
#include "refbroker/log/objects.h"
#include "refbroker/log/producer_expiry.h"
#include "refbroker/log/reader.h"
#include "refbroker/log/retention.h"
#include "refbroker/log/upload.h"
#include "refbroker/log/verifications.h"
#include "refbroker/log/wal.h"
#include "refbroker/meta/broker_configs.h"

#define WAL_INDEX_PART 8 /* of a file its index at most */
#define TICK_US_MAX 2000

void
broker_options_default(struct broker_options *options)
{
    memset(options, 0, sizeof *options);
    options->host = "127.0.0.1";
    options->data_folder = "/";
    options->port = 9092;
    options->node_id = 1;
    options->read_cache_bytes = LIMIT_READ_CACHE_BYTES_MAX;
    options->upload_object_bytes = SIZE_MAX;
    broker_configs_default(options);
}

void
broker_options_fini(struct broker_options *options)
{
    map_fini(&options->given, free);
    logins_fini(&options->logins);
}

/* A Kafka cluster id: 16 random bytes in URL-safe base64, 22 characters. */
static void
cluster_id_make(struct env *env, char out[32])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t bytes[18] = {0};

    env_random_bytes(env, bytes, 16);
    for (size_t i = 0; i < 24; i++) {
        size_t bit = i * 6;
        unsigned pair = (unsigned)bytes[bit / 8] << 8 | (bit / 8 + 1 < 18 ? bytes[bit / 8 + 1] : 0);

        out[i] = digits[pair >> (10 - bit % 8) & 63];
    }
    out[22] = '\0';
}

static enum rc
setting_number(struct catalog *catalog, const char *name, int64_t *out, struct err *e)
{
    char text[32];
    enum rc rc = catalog_get_setting(catalog, name, text, sizeof text, e);

    if (rc == RC_OK)
        *out = strtoll(text, NULL, 10);
    return rc;
}

static enum rc
identity_load(struct broker *b, struct err *e)
{
    enum rc rc =
        catalog_get_setting(b->catalog, "cluster_id", b->cluster_id, sizeof b->cluster_id, e);

    if (rc == RC_NOTFOUND) {
        cluster_id_make(b->env, b->cluster_id);
        rc = catalog_put_setting(b->catalog, "cluster_id", b->cluster_id, e);
    }
    if (rc == RC_OK)
        rc = setting_number(b->catalog, "producer_id_next", &b->producer_id_next, e);
    b->producer_id_end = b->producer_id_next;
    if (rc == RC_OK)
        rc = catalog_last_object(b->catalog, &b->object_id_next, e);
    b->object_id_next++;
    return rc;
}

static enum rc
storage_open(struct broker *b, struct err *e)
{
    struct wal_options wal = {.disk = b->options.disk,
        .work = b->options.work,
        .env = b->env,
        .lane = LANE_WAL,
        .load_lane = LANE_CLEANER,
        .file_bytes = b->options.wal_file_bytes,
        .index_bytes_max = b->options.wal_file_bytes / WAL_INDEX_PART,
        .done = append_durable,
        .arg = b};
    enum rc rc = catalog_open(b->options.disk, b->options.work, LANE_DB, &b->catalog, e);

    if (rc == RC_OK)
        rc = identity_load(b, e);
    if (rc == RC_OK)
        rc = catalog_load(b->catalog, &b->topics, e);
    if (rc == RC_OK)
        rc = objects_open(b, e);
    if (rc == RC_OK && b->options.store == NULL)
        rc = garbage_sweep_orphans(b, e);
    if (rc == RC_OK)
        rc = wal_open(&wal, append_recovered, b, &b->wal, e);
    return rc;
}

/* What administrators have set. */
static enum rc
admin_load(struct broker *b, struct err *e)
{
    enum rc rc = catalog_load_resource_configs(b->catalog, &b->resource_configs, e);

    if (rc == RC_OK)
        rc = catalog_load_quotas(b->catalog, &b->quotas, e);
    if (rc == RC_OK)
        rc = catalog_load_acls(b->catalog, &b->acls, e);
    if (rc == RC_OK)
        rc = catalog_load_scram_users(b->catalog, &b->scram_users, e);
    if (rc == RC_OK)
        rc = features_load(&b->features, &b->options.features, b->catalog, e);
    if (rc == RC_OK)
        broker_configs_load(b);
    if (rc == RC_OK && b->options.client_metrics) {
        b->client_instances = client_instances_new(b->env);
        client_subscriptions_load(&b->client_instances->subscriptions, &b->resource_configs);
    }
    return rc;
}

enum rc
broker_open(const struct broker_options *options, struct broker **out, struct err *e)
{
    struct broker *b = xcalloc(1, sizeof *b);
    enum rc rc;

    b->options = *options;
    b->env = options->env;
    list_init(&b->clients);
    list_init(&b->ready_clients);
    list_init(&b->marked_fetches);
    list_init(&b->producer_id_waiters);
    map_init(&b->creating);
    heap_init(&b->deadlines);
    heap_init(&b->muted);
    cache_init(&b->cache, options->cache_bytes);
    topics_init(&b->topics, &b->cache);
    resource_configs_init(&b->resource_configs);
    quotas_init(&b->quotas);
    acls_init(&b->acls);
    quota_meters_init(&b->quota_meters, &b->quotas);
    scram_users_init(&b->scram_users);
    b->verifications = verifications_new(LIMIT_VERIFICATIONS_MAX);
    rc = storage_open(b, e);
    if (rc != RC_OK) {
        broker_close(b);
        return rc;
    }
    b->uploader = uploader_new(b);
    b->coordinated = coordinated_new(b);
    b->garbage = garbage_new(b);
    b->cleaner = cleaner_new(b);
    b->retention_next_ms = env_now_ms(b->env) + options->initial_task_delay_ms;
    b->reader = reader_new(b, options->read_cache_bytes);
    b->fetch_sessions = fetch_sessions_new(b->env);
    b->groups = groups_new(b);
    b->txns = txns_new(b);
    b->share_states = share_states_new(b);
    b->share_partitions = share_partitions_new(b);
    b->share_sessions = share_sessions_new();
    rc = admin_load(b, e);
    if (rc == RC_OK)
        rc = groups_load(b->groups, e);
    if (rc == RC_OK)
        rc = txns_load(b->txns, e);
    if (rc == RC_OK)
        rc = share_states_load(b->share_states, e);
    if (rc != RC_OK) {
        broker_close(b);
        return rc;
    }
    objects_sweep(b);
    group_expiry_start(b->groups);
    intake_open(b);
    b->tick_ended_cpu_us = env_thread_cpu_us(b->env);
    b->stats.topics = (int64_t)map_count(&b->topics.by_name);
    b->stats.partitions = b->topics.partition_count;
    *out = b;
    return RC_OK;
}

/* Nobody waits for a write any more that will not come; what is told of it may want to write again,
 * which a stopped partition refuses. */
static void
waiters_end(struct broker *b)
{
    struct topic *topic;

    for (size_t position = 0; (topic = topics_next(&b->topics, &position)) != NULL;)
        for (int32_t i = 0; i < topic->partition_count; i++)
            topic->partitions[i]->stopped = true;
    for (size_t position = 0; (topic = topics_next(&b->topics, &position)) != NULL;)
        for (int32_t i = 0; i < topic->partition_count; i++)
            append_fail_waiters(b, topic->partitions[i], KE_KAFKA_STORAGE_ERROR);
}

void
broker_close(struct broker *b)
{
    if (b == NULL)
        return;
    while (!list_is_empty(&b->clients))
        broker_disconnect(b, list_of(list_first(&b->clients), struct client, in_broker));
    waiters_end(b);
    groups_free(b->groups);
    txns_free(b->txns);
    share_sessions_free(b->share_sessions);
    share_partitions_free(b->share_partitions);
    share_states_free(b->share_states);
    coordinated_free(b->coordinated);
    garbage_free(b->garbage);
    cleaner_free(b->cleaner);
    objects_free(b->sweep);
    uploader_free(b->uploader);
    intake_close(b);
    wal_close(b->wal);
    topics_fini(&b->topics);
    verifications_free(b->verifications);
    client_instances_free(b->client_instances);
    resource_configs_fini(&b->resource_configs);
    quota_meters_fini(&b->quota_meters);
    quotas_fini(&b->quotas);
    acls_fini(&b->acls);
    scram_users_fini(&b->scram_users);
    reader_free(b->reader);
    fetch_sessions_free(b->fetch_sessions);
    store_free(b->store);
    catalog_close(b->catalog);
    map_fini(&b->creating, NULL);
    heap_fini(&b->deadlines);
    heap_fini(&b->muted);
    free(b);
}

static void
deadlines_run(struct broker *b)
{
    int64_t now = env_now_ms(b->env);
    struct heap_node *node;

    while ((node = heap_pop_due(&b->deadlines, now)) != NULL) {
        struct request *request = list_of(node, struct request, deadline);

        request->on_deadline(b, request);
    }
}

size_t
broker_unstored_bytes(const struct broker *b)
{
    return b->cache.uncommitted_bytes + b->intake_bytes + coordinated_bytes(b->coordinated);
}

static int64_t
earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/*
 * CPU time of the core in this tick: that of broker_tick itself, and before it that of the frames.
 * To ask for a thread's CPU time at every frame costs more than many a frame; so frames are bounded
 * from above by two clocks, wall time, which counts what other processes do to us, and CPU time
 * since the last tick, which counts the receiving, and the lower one is taken.
 */
static int64_t
tick_cpu_us(struct broker *b, int64_t started_cpu_us)
{
    int64_t cpu_us = env_thread_cpu_us(b->env);
    int64_t frames_us = earlier(b->frames_wall_us, started_cpu_us - b->tick_ended_cpu_us);

    b->frames_wall_us = 0;
    b->tick_ended_cpu_us = cpu_us;
    return frames_us + cpu_us - started_cpu_us;
}

static void
store_gauges_set(struct stats *stats, const struct store *store)
{
    stats->store_requests_put_total = store->requests[STORE_PUT];
    stats->store_requests_get_total = store->requests[STORE_GET];
    stats->store_requests_delete_total = store->requests[STORE_DELETE];
    stats->store_requests_list_total = store->requests[STORE_LIST];
    stats->store_requests_failed_total = store->failures;
    stats->store_bytes_put_total = store->bytes[STORE_PUT];
    stats->store_bytes_get_total = store->bytes[STORE_GET];
}

static void
gauges_set(struct broker *b, int64_t took)
{
    b->stats.cache_bytes = (int64_t)(b->cache.committed_bytes + b->cache.uncommitted_bytes);
    b->stats.uncommitted_bytes = (int64_t)broker_unstored_bytes(b);
    store_gauges_set(&b->stats, b->store);
    if (b->client_instances != NULL) {
        b->stats.client_metrics_instances = (int64_t)map_count(&b->client_instances->by_id);
        b->stats.client_metrics_values = (int64_t)b->client_instances->samples.count;
    }
    if (took > b->stats.tick_us_max)
        b->stats.tick_us_max = took;
    b->stats.ticks_over_2ms_total += took > TICK_US_MAX;
}

/* Connections that were silent for too long, and wait for nothing, are closed. */
static int64_t
idle_close(struct broker *b)
{
    int64_t now = env_now_ms(b->env);

    if (now < b->idle_next_ms)
        return b->idle_next_ms;
    b->idle_next_ms = INT64_MAX;
    LIST_EACH(&b->clients, node)
    {
        struct client *client = list_of(node, struct client, in_broker);
        int64_t due = client->active_ms + b->options.idle_ms;

        if (!list_is_empty(&client->requests))
            due = now + b->options.idle_ms;
        if (due <= now && !client->closing) {
            client->closing = true;
            b->options.ports.close(client->peer);
        } else if (due < b->idle_next_ms) {
            b->idle_next_ms = due > now ? due : INT64_MAX;
        }
    }
    return b->idle_next_ms;
}

int64_t
broker_tick(struct broker *b)
{
    int64_t started_cpu_us = env_thread_cpu_us(b->env);
    int64_t next;
    struct heap_node *first;

    deadlines_run(b);
    (void)work_reap(b->options.work);
    b->damage = wal_damage(b->wal);
    fetch_wait_run(b);
    client_unblock(b);
    client_unmute(b);
    client_run_ready(b);
    next = groups_tick(b->groups);
    next = earlier(next, txns_tick(b->txns));
    next = earlier(next, share_partitions_tick(b->share_partitions));
    next = earlier(next, share_states_tick(b->share_states));
    wal_flush(b->wal);
    next = earlier(next, coordinated_tick(b->coordinated));
    next = earlier(next, retention_tick(b));
    next = earlier(next, producer_expiry_tick(b));
    next = earlier(next, garbage_tick(b->garbage));
    next = earlier(next, cleaner_tick(b->cleaner));
    if (b->client_instances != NULL)
        next = earlier(next, client_instances_tick(b->client_instances));
    next = earlier(next, idle_close(b));
    next = earlier(next, earlier(uploader_tick(b->uploader), wal_retry_ms(b->wal)));
    first = heap_first(&b->deadlines);
    if (first != NULL)
        next = earlier(next, first->deadline);
    first = heap_first(&b->muted);
    if (first != NULL)
        next = earlier(next, first->deadline);
    if (!list_is_empty(&b->ready_clients))
        next = env_now_ms(b->env);
    gauges_set(b, tick_cpu_us(b, started_cpu_us));
    intake_tick(b);
    return next;
}

void
broker_stop(struct broker *b)
{
    b->stopping = true;
    uploader_flush(b->uploader);
}

const struct err *
broker_damage(const struct broker *b)
{
    return b->damage;
}

void
broker_abandon(struct broker *b)
{
    store_cancel(b->store);
}

bool
broker_is_idle(const struct broker *b)
{
    for (unsigned lane = 0; lane < LANE_COUNT; lane++)
        if (work_pending(b->options.work, lane) > 0)
            return false;
    return wal_is_idle(b->wal) && uploader_is_idle(b->uploader) &&
           coordinated_is_idle(b->coordinated);
}

int64_t
broker_next_object_id(struct broker *b)
{
    return b->object_id_next++;
}

unsigned
broker_put_lane(struct broker *b)
{
    return LANE_PUT + b->puts++ % LANE_PUT_COUNT;
}

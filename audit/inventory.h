/*
 * inventory: what the probes of an audit have seen of a cluster.
 *
 * Probes fill it, facts and reports read it. Where a probe could not see something it leaves a gap
 * with the reason, for one topic or for all; nothing else tells "there is none" from "could not
 * look". Partitions are numbered through all topics (items of cluster_fan).
 *
 * Ownership: texts and lists lie in the inventory's arena and live as long as it does. The arena is
 * capped at INVENTORY_BYTES_MAX; inventory_check gives RC_LIMIT when it was too small.
 */
#ifndef AUDIT_INVENTORY_H
#define AUDIT_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"
#include "lib/base/map.h"
#include "lib/wire/desc.h"

#define INVENTORY_BYTES_MAX ((size_t)1 << 30)
#define INVENTORY_NO_NUMBER UINT32_MAX
#define INVENTORY_CLIENTS_MAX 20000
#define INVENTORY_SECRET "(secret)"

enum audit_probe {
#define PROBE(name, api) AUDIT_##name,
#include "audit/probes.def"
#undef PROBE
    AUDIT_PROBES,
};

enum audit_fact {
#define FACT(name, json) AUDIT_FACT_##name,
#include "audit/facts.def"
#undef FACT
    AUDIT_FACTS,
};

/* In which way a topic shows in transactions. */
enum audit_trace {
#define TRACE(name, probe) AUDIT_TRACE_##name,
#include "audit/traces.def"
#undef TRACE
    AUDIT_TRACES,
};

enum audit_topic_config {
#define TOPIC_CONFIG(name, key) AUDIT_CONFIG_##name,
#define BROKER_CONFIG(name, key)
#include "audit/configs.def"
#undef TOPIC_CONFIG
#undef BROKER_CONFIG
    AUDIT_TOPIC_CONFIGS,
};

enum audit_broker_config {
#define TOPIC_CONFIG(name, key)
#define BROKER_CONFIG(name, key) AUDIT_BROKER_##name,
#include "audit/configs.def"
#undef TOPIC_CONFIG
#undef BROKER_CONFIG
    AUDIT_BROKER_CONFIGS,
};

/* A config's value; NULL where it is not known, or the brokers do not have it. */
struct audit_config {
    const char *value;
    bool is_own; /* set on the topic (or broker) itself, no default */
};

enum audit_feature {
#define FEATURE(name, key) AUDIT_FEATURE_##name,
#include "audit/features.def"
#undef FEATURE
    AUDIT_FEATURES,
};

enum audit_value { AUDIT_UNKNOWN, AUDIT_NO, AUDIT_YES };
enum audit_confidence { AUDIT_WEAK, AUDIT_LIKELY, AUDIT_CERTAIN };

/* Why a probe saw nothing, or not all. */
struct audit_gap {
    const char *why;   /* NULL: no gap */
    bool unsupported;  /* the brokers do not have the API, as opposed to a refusal or a failure */
    uint32_t failures; /* how often; `why` is the first */
};

struct audit_evidence {
    enum audit_probe probe;
    const char *text;
    struct audit_evidence *next;
};

struct audit_finding {
    enum audit_value value;
    enum audit_confidence confidence;
    struct audit_evidence *first;
    struct audit_evidence *last;
};

/* A rule (rules.h) that holds, or of which that is unknown. */
struct rules_rule;
struct waiver;
struct audit_hit {
    const struct rules_rule *rule;
    enum audit_value value; /* yes or unknown */
    enum audit_probe probe;
    const char *text;
    const struct waiver *waiver; /* NULL: nobody answers for it */
    bool is_known;               /* it stood in the baseline (baseline.h) */
    struct audit_hit *next;
};

/* The kinds of groups, and what is known of a group as a Streams application. */
enum audit_group_type {
    AUDIT_GROUP_CLASSIC,
    AUDIT_GROUP_CONSUMER,
    AUDIT_GROUP_SHARE,
    AUDIT_GROUP_STREAMS,
    AUDIT_GROUP_TYPES,
};
enum audit_app { AUDIT_APP_NO, AUDIT_APP_MAYBE, AUDIT_APP_YES };

struct audit_group {
    const char *id;
    enum audit_group_type type;
    const char *state;
    uint32_t members;
    enum audit_app app;
    const char *app_why;       /* how it was recognised */
    const char *protocol_type; /* of a classic group, "" where nobody said */
    bool has_pattern;          /* some member subscribes to a regular expression */
};

/* One group on one topic. */
struct audit_use {
    uint32_t group;
    bool commits;  /* it has committed offsets, */
    bool members;  /* it has members that subscribe or are assigned to it */
    int64_t lag;   /* records behind the ends of its partitions, of those where it commits */
    uint32_t lost; /* partitions where its offset lies below the log's start, */
    uint32_t overwritten; /* where what it has read was cut off, and other records came, */
    uint32_t pending;     /* and where an open transaction is about to commit another */
    struct audit_use *next;
};

/* A topic of Kafka Streams, as a streams group's topology names it. */
enum audit_role { AUDIT_ROLE_NONE, AUDIT_ROLE_CHANGELOG, AUDIT_ROLE_REPARTITION };

/* A program that asked the brokers, as a request log tells (request_log.h). No text is null. */
struct audit_client {
    const char *id;        /* client.id */
    const char *principal; /* User:NAME */
    const char *software;  /* KIP-511: apache-kafka-java, librdkafka, ... */
    const char *version;   /* of the software */
};

/* One client on one topic: how many requests of each kind named the topic. */
struct audit_contact {
    uint32_t client;
    uint64_t produces;
    uint64_t transactional; /* of these, with a transactional id */
    uint64_t fetches;
    uint64_t committed_fetches; /* of these, with isolation.level=read_committed */
    uint64_t share_fetches;
    uint64_t commits; /* of offsets, those in transactions among them */
    struct audit_contact *next;
};

/* Somebody whom access rules permit something (grants.h). */
struct audit_principal {
    const char *name;              /* User:NAME */
    const char *transactional_ids; /* that it may use, as a rule says it; NULL: none */
};

/* What one principal may do with one topic. */
struct audit_grant {
    uint32_t principal;
    bool may_write;
    bool may_read;
    struct audit_grant *next;
};

/* What the stored batches that were sampled say. */
struct audit_sample {
    uint64_t batches;
    uint64_t transactional; /* control batches included */
    uint64_t control;
    uint64_t with_producer;
    uint64_t bytes;
    uint64_t offsets;        /* that the sampled batches span, */
    uint64_t offsets_stored; /* and all that the logs span */
    uint64_t holes;          /* offsets without a record inside what was read: compacted away */
    uint64_t keyed;          /* records with a key; compacted topics only */
    uint64_t unkeyed;
    uint64_t repeated;    /* keyed records whose key came before in the partition */
    uint64_t program;     /* keys in the shape of a known program's state */
    const char *programs; /* which program, NULL: none */
    uint32_t cut;         /* partitions that were not read whole */
    uint32_t partitions;  /* that were read at all */
    uint64_t old_format;  /* batches of message format 0 or 1 */
    uint64_t log_append_time;
    uint64_t horizons;           /* batches that Kafka's cleaner has been at (KIP-534) */
    uint64_t uncompressed_bytes; /* of `bytes` */
    uint64_t records;            /* in batches whose header tells their count, */
    uint64_t counted;            /* and how many batches these are, control batches aside */
    uint64_t tombstones;         /* compacted topics only */
    uint64_t backwards;          /* batches SAMPLE_BACKWARDS_MS older than one before them */
    int64_t newest_ms;           /* largest timestamp; -1: none */
};

/* Offsets at which brokers were asked whether an aborted transaction spans them. */
struct audit_aborted {
    uint32_t asked;
    uint32_t found; /* of these */
};

/* What was appended between looks at the ends of a topic's logs; window_ms is 0 where there was one
 * look only. The peak is the fastest window between two looks. */
struct audit_rate {
    int64_t records; /* offsets, to be exact: markers count */
    int64_t window_ms;
    int64_t peak_records;
    int64_t peak_window_ms;
};

/* What clients wrote and read a day, by the brokers' counters (metrics.h); -1: not counted.
 * window_ms is the shortest time that counters of a broker with the topic span; 0: none were given.
 */
#define AUDIT_TRAFFIC_SECONDS 86400
struct audit_traffic {
    int64_t bytes_in;
    int64_t bytes_out;
    int64_t records_in;
    int64_t window_ms;
};

/* The transactional ids in whose transactions a topic shows in one way. */
struct audit_traces {
    uint64_t ids;
    const char *first; /* of these; NULL: none */
};

/* Names as Flink's (flink.h) among what writes and reads a topic; derived, not kept. */
struct audit_flink {
    const char *transactional_id; /* that wrote it; NULL: none */
    uint64_t ids;                 /* that differ from it in their last number, itself included */
    enum audit_probe probe;       /* that told */
    const char *reader;           /* client id; NULL: none */
    const char *enumerator;       /* client id of the reader's source */
};

struct audit_topic {
    const char *name;
    struct wire_uuid id; /* zero: not known; snapshots do not keep it */
    bool is_internal;
    int32_t partition_count;
    uint32_t first; /* number of its partition 0 */
    struct audit_config configs[AUDIT_TOPIC_CONFIGS];
    int64_t bytes;        /* of one replica; -1: not known */
    int64_t offsets;      /* sum of end - start */
    bool began_later;     /* some log starts above offset 0 */
    int64_t tiered;       /* of these, offsets that lie in tiered storage alone (KIP-405) */
    int64_t last_ms;      /* largest timestamp that the logs tell; -1: none or not known */
    uint32_t unstable;    /* partitions whose last stable offset lies below the high watermark */
    uint32_t replication; /* replicas of the partition that has most */
    uint32_t lagging;     /* partitions with replicas out of sync, */
    uint32_t leaderless;  /* without a leader, */
    uint32_t moving;      /* and under reassignment */
    uint64_t producers;   /* that its partitions remember, */
    uint64_t transactional_producers;
    uint64_t open_transactions;
    int32_t last_sequence; /* the largest of these producers'; -1: none */
    struct audit_traces traces[AUDIT_TRACES];
    struct audit_sample sample;
    struct audit_aborted aborted;
    struct audit_rate rate;
    struct audit_traffic traffic;
    struct audit_use *uses;
    uint32_t use_count;
    struct audit_contact *contacts;
    uint32_t contact_count;
    struct audit_grant *grants;
    uint32_t grant_count;
    enum audit_role role; /* from a streams group's topology, */
    uint32_t role_group;  /* which is this one */
    struct audit_gap gaps[AUDIT_PROBES];
    struct audit_finding facts[AUDIT_FACTS];
    struct audit_flink flink;
    struct audit_hit *hits;
};

struct audit_partition {
    uint32_t topic;
    int32_t partition;
    int64_t log_start_offset; /* -1: not known */
    int64_t end_offset;
    int64_t bytes;        /* -1: not known */
    int64_t epoch_offset; /* where the records of the leader epoch begin; -1: not known */
    int32_t leader_epoch; /* -1: not known */
    bool is_sampled;      /* all that was to be read of it has been read */
};

/* A topic in a transaction of an id. */
struct audit_footprint {
    const char *transactional_id;
    uint32_t topic;
    enum audit_trace trace;
    struct audit_footprint *next;
};

/* Of all folders with logs, the one on the disk with the smallest share left. */
struct audit_disk {
    int32_t broker;
    int64_t total_bytes; /* 0: no broker told of its disks */
    int64_t usable_bytes;
};

/* What belongs to no topic; most of it would have to be made again elsewhere. */
struct audit_cluster {
    uint32_t racks;
    uint32_t acls;
    uint32_t quotas;           /* entities */
    uint32_t client_id_quotas; /* those of them that name a client id */
    uint32_t scram_users;
    uint32_t tokens;                  /* delegation tokens (KIP-48) */
    uint32_t metrics_subscriptions;   /* what clients are asked to push (KIP-714) */
    uint32_t odd_brokers;             /* with other API versions than the one of the lowest id */
    struct audit_disk fullest;
    int16_t features[AUDIT_FEATURES]; /* finalized levels; 0: none, or not told */
};

/* How often a cluster was looked at, where what was seen has been carried on (carry.h). */
struct audit_watch {
    uint32_t looks;
    int64_t first_ms;       /* wall clock */
    int64_t longest_gap_ms; /* between two looks */
};

struct audit_inventory {
    struct arena arena;
    const char *cluster_id;
    uint32_t brokers;
    struct audit_config configs[AUDIT_BROKER_CONFIGS];
    struct audit_cluster cluster;
    bool is_restricted; /* the login may not describe the cluster: lists leave out what it may not
                           see, without a word */
    struct audit_topic *topics;
    uint32_t topic_count;
    struct audit_partition *partitions;
    uint32_t partition_count;
    struct audit_group *groups;
    uint32_t group_count;
    struct map topics_by_name; /* to place + 1 */
    struct map groups_by_id;
    const char **transactional_ids;
    uint32_t transactional_id_count;
    struct map transactional_id_places;
    struct map producer_places; /* the same, by producer id; not kept in snapshots */
    struct audit_footprint *footprints;
    struct audit_client *clients;
    uint32_t client_count;
    struct map client_places;
    struct map contact_places;
    struct audit_principal *principals;
    uint32_t principal_count;
    struct audit_gap gaps[AUDIT_PROBES]; /* about all topics */
    int64_t asked_ms[AUDIT_PROBES];      /* wall clock; 0: not asked */
    struct audit_hit *hits;              /* about the cluster */
    struct audit_watch watch;
    uint64_t requests;
    uint64_t sampled_bytes;
    int64_t took_ms;
};

/* Partitions of one topic among the items of a request. */
struct inventory_run {
    uint32_t topic;
    uint32_t *numbers;
    size_t count;
};

void inventory_init(struct audit_inventory *inventory);
void inventory_fini(struct audit_inventory *inventory);

/* inventory_check gives RC_LIMIT where something did not fit. */
MUST_CHECK enum rc inventory_check(const struct audit_inventory *inventory, struct err *e);

/* inventory_is_of_cluster gives RC_CONFLICT where an earlier inventory is of another cluster. */
MUST_CHECK enum rc inventory_is_of_cluster(
    const struct audit_inventory *inventory, const struct audit_inventory *before, struct err *e);

/* inventory_text keeps a copy; "" where the arena is full or the text is null. */
const char *inventory_text(struct audit_inventory *inventory, const char *data, int32_t size);
const char *inventory_printf(struct audit_inventory *inventory, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* inventory_add_topic and _add_group append; a group that is there already is returned as it is. */
struct audit_topic *inventory_add_topic(
    struct audit_inventory *inventory, const char *name, int32_t partition_count);
struct audit_group *inventory_add_group(
    struct audit_inventory *inventory, struct wire_string id, enum audit_group_type type);
void inventory_add_transactional_id(struct audit_inventory *inventory, struct wire_string id);

/* inventory_note_producer notes the producer id of a transactional id that was added;
 * inventory_producer returns the number of its transactional id, or INVENTORY_NO_NUMBER. */
void inventory_note_producer(
    struct audit_inventory *inventory, struct wire_string id, int64_t producer_id);
uint32_t inventory_producer(const struct audit_inventory *inventory, int64_t producer_id);

/* inventory_add_footprint notes that an id, by its number, has to do with a topic. */
void inventory_add_footprint(
    struct audit_inventory *inventory, uint32_t id, uint32_t topic, enum audit_trace trace);

/* inventory_topic, _partition (of a topic by its number, which may be INVENTORY_NO_NUMBER) and
 * _group return the number of something, or INVENTORY_NO_NUMBER. */
uint32_t inventory_topic(const struct audit_inventory *inventory, struct wire_string name);
uint32_t inventory_partition(
    const struct audit_inventory *inventory, uint32_t topic, int32_t partition);
uint32_t inventory_group(const struct audit_inventory *inventory, struct wire_string id);
uint32_t inventory_transactional_id(const struct audit_inventory *inventory, struct wire_string id);

/* inventory_use notes that a group has to do with a topic. NULL for unknown topics, and where the
 * arena is full. */
struct audit_use *inventory_use(struct audit_inventory *inventory, uint32_t group,
    struct wire_string topic, bool commits, bool members);

/* inventory_add_client returns the number of a client, which is appended where it is new;
 * INVENTORY_NO_NUMBER where there are INVENTORY_CLIENTS_MAX already. */
uint32_t inventory_add_client(struct audit_inventory *inventory, const struct audit_client *client);

/* inventory_contact returns what a client has to do with a topic, made where it is new; NULL where
 * the arena is full. */
struct audit_contact *inventory_contact(
    struct audit_inventory *inventory, uint32_t topic, uint32_t client);

/* inventory_add_principal appends one whose texts lie in the arena, and returns its number;
 * inventory_add_grant copies what one may do with a topic. */
uint32_t inventory_add_principal(
    struct audit_inventory *inventory, const char *name, const char *transactional_ids);
void inventory_add_grant(
    struct audit_inventory *inventory, uint32_t topic, const struct audit_grant *grant);

/* inventory_gap notes a failure of a probe: code where rc is RC_REMOTE, e otherwise. topic may be
 * INVENTORY_NO_NUMBER: the whole cluster. subject (may be NULL) says what was asked about. */
void inventory_gap(struct audit_inventory *inventory, uint32_t topic, enum audit_probe probe,
    const char *subject, enum rc rc, int16_t code, const struct err *e);

/* inventory_gap_foreign notes that no topic in a user's file is one of those audited. */
void inventory_gap_foreign(
    struct audit_inventory *inventory, enum audit_probe probe, const char *path);

/* inventory_gap_of returns the gap of a topic, or of the whole cluster; NULL where there is none.
 */
const struct audit_gap *inventory_gap_of(const struct audit_inventory *inventory,
    const struct audit_topic *topic, enum audit_probe probe);

/* inventory_runs sorts the items of a request by topic; NULL where the arena is full. */
struct inventory_run *inventory_runs(const struct audit_inventory *inventory, const uint32_t *items,
    size_t count, struct arena *arena, size_t *run_count);

/* inventory_shows_transactions tells whether what is kept beside the log itself, or the log of
 * transactions, says that transactions write to it. */
bool inventory_shows_transactions(const struct audit_topic *topic);

/* inventory_is_compacted tells whether cleanup.policy names compact. */
bool inventory_is_compacted(const struct audit_topic *topic);

/* inventory_number reads a topic's config as a number; `otherwise` where it is not known or none.
 */
int64_t inventory_number(
    const struct audit_topic *topic, enum audit_topic_config config, int64_t otherwise);

/* inventory_share_left returns which share of a disk can still be used, 0 to 1; 1 where that is not
 * known, or cannot be. */
double inventory_share_left(const struct audit_disk *disk);

/* inventory_rate_add adds a window between two looks to a rate; one that is no longer than 0 ms is
 * none. */
void inventory_rate_add(struct audit_rate *rate, int64_t records, int64_t window_ms);

/* inventory_trace_probe returns the probe that told of a trace. */
enum audit_probe inventory_trace_probe(enum audit_trace trace);

/* Kafka's names of configs. */
const char *inventory_topic_key(enum audit_topic_config config);
const char *inventory_broker_key(enum audit_broker_config config);

/* Kafka's name of a feature. */
const char *inventory_feature_name(enum audit_feature feature);

/* audit_probe_name returns a probe's name, audit_probe_of the probe of a name (NULL too), or
 * AUDIT_PROBES. */
const char *audit_probe_name(enum audit_probe probe);
enum audit_probe audit_probe_of(const char *name);

/* audit_probe_api returns Kafka's name of the API that a probe asks. */
const char *audit_probe_api(enum audit_probe probe);

#endif

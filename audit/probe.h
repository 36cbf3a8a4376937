/*
 * probe: the questions of an audit, one file per family; each fills its part of an inventory.
 *
 * A probe that is refused or fails leaves gaps in the inventory and goes on. Only probe_begin
 * and probe_topics_end fail as a whole: without topics there is no audit. All requests go through
 * probe_fan or probe_call, which send nothing outside of allowed.def.
 *
 * They run the cluster's loop until they have their answers. Those with a begin and an end leave
 * what a broker works long on to it while others ask, configs over a connection of their own: begin
 * sends the first requests and returns, end waits for what has not come in the meantime, and frees.
 * Where there is no use for the answers any more drop stands for end: it frees at once, neither asks
 * nor waits, and notes nothing.
 */
#ifndef AUDIT_PROBE_H
#define AUDIT_PROBE_H

#include "audit/inventory.h"
#include "lib/kafka/cluster.h"

struct probe {
    struct audit_inventory *inventory;
    struct cluster *cluster;
};

/* probe_begin finds out which brokers there are, all that probe_groups,
 * probe_commits_begin and probe_sizes_begin need. */
MUST_CHECK enum rc probe_begin(const struct probe *probe, struct err *e);

/* The topics that the patterns mean, and the internal ones: shell globs, separated by commas, of
 * which those that begin with '!' take out again. */
struct probe_topics;
struct probe_topics *probe_topics_begin(const struct probe *probe);
MUST_CHECK enum rc probe_topics_end(
    struct probe_topics *topics, const char *patterns, struct err *e);

/* probe_rights asks what the login may do with the cluster. */
void probe_rights(const struct probe *probe);

/* Configs of topics and of a broker. */
struct probe_configs;
struct probe_configs *probe_configs_begin(const struct probe *probe);
void probe_configs_end(struct probe_configs *configs);

void probe_offsets(const struct probe *probe);

/* probe_epochs asks, of partitions that have had another leader, where the records of the leader
 * epoch begin that Metadata told; what probe_commits_end compares offsets with. */
void probe_epochs(const struct probe *probe);

/* probe_tiered asks, of topics whose configs say that they are tiered, where the part begins that
 * is on the leaders' disks. */
void probe_tiered(const struct probe *probe);

/* probe_growth looks at the ends of the logs once more, and adds what came since probe_offsets to
 * the topics' rates. */
void probe_growth(const struct probe *probe);

/* Bytes of the logs, and the fullest disk. It may begin before the topics are known, and ends
 * behind them. */
struct probe_sizes;
struct probe_sizes *probe_sizes_begin(const struct probe *probe);
void probe_sizes_end(struct probe_sizes *sizes);
void probe_sizes_drop(struct probe_sizes *sizes);

/* What every broker serves, and which features are finalized. */
struct probe_versions;
struct probe_versions *probe_versions_begin(const struct probe *probe);
void probe_versions_end(struct probe_versions *versions);

/* What belongs to no topic: reassignments, access rules, quotas, SCRAM users, subscriptions to
 * clients' metrics. The topics have to be known: answers name them. */
struct probe_cluster;
struct probe_cluster *probe_cluster_begin(const struct probe *probe);
void probe_cluster_end(struct probe_cluster *questions);

/* probe_tokens asks for delegation tokens, once the broker's configs do not rule them out. */
void probe_tokens(const struct probe *probe);

/* Producers that partitions remember. */
struct probe_producers;
struct probe_producers *probe_producers_begin(const struct probe *probe);
void probe_producers_end(struct probe_producers *producers);

void probe_transactions(const struct probe *probe);

/* probe_transaction_log reads the end of __transaction_state, the last 20,000 offsets of a
 * partition, about 4 MiB of these and bytes_max in all at most: which topics transactions that are
 * over have written. A gap tells what was left out. It returns the bytes that it read. */
uint64_t probe_transaction_log(const struct probe *probe, uint64_t bytes_max);

/* probe_commit_log reads the end of __consumer_offsets in the same way, about 1 MiB of a partition:
 * which topics transactions read. It needs the transactional ids that the two before it found. */
uint64_t probe_commit_log(const struct probe *probe, uint64_t bytes_max);

/* probe_groups lists groups, which needs no topics. */
void probe_groups(const struct probe *probe);

/* Members of groups, which have to be known, as the topics have. */
struct probe_members;
struct probe_members *probe_members_begin(const struct probe *probe);
void probe_members_end(struct probe_members *members);

/* Offsets of groups, which have to be known. It may begin before the topics and their offsets are
 * known, and ends behind them; at most 8 MiB of answers wait for that. */
struct probe_commits;
struct probe_commits *probe_commits_begin(const struct probe *probe);
void probe_commits_end(struct probe_commits *commits);
void probe_commits_drop(struct probe_commits *commits);

/* probe_samples reads at most about bytes_max bytes of stored batches, of partitions that are not
 * marked as sampled. The watcher (NULL: none) is told after each partition, when what was read of
 * it is in the inventory, and nothing of those that are being read. */
struct probe_watcher {
    void (*tick)(void *arg, uint32_t done, uint32_t count);
    void *arg;
};
void probe_samples(
    const struct probe *probe, uint64_t bytes_max, const struct probe_watcher *watcher);

/* probe_aborted asks, of topics that show no transaction so far and were not read whole, whether
 * aborted ones span offsets between what was read: up to eight of each partition, at most about
 * bytes_max bytes of answers, which hold hardly a record. */
void probe_aborted(const struct probe *probe, uint64_t bytes_max);

/* What probes share. */

/* probe_fan is cluster_fan_out for an allowed API; it notes the time. probe_fan_start is
 * cluster_fan_start, NULL where there is nothing to ask. */
void probe_fan(
    const struct probe *probe, enum audit_probe which, const struct cluster_fan_spec *spec);
struct cluster_fan *probe_fan_start(
    const struct probe *probe, enum audit_probe which, const struct cluster_fan_spec *spec);

/* probe_brokers returns the ids of all brokers, which the caller frees. */
int32_t *probe_brokers(const struct probe *probe, uint32_t *count);

/* probe_list asks every broker for its part of a list, with a request that says nothing; aside: see
 * cluster_fan.h. `take` notes what an answer holds and returns its error code. */
typedef int16_t probe_list_fn(struct audit_inventory *inventory, const void *response);
void probe_list(const struct probe *probe, enum audit_probe which, int16_t api_key, bool aside,
    probe_list_fn *take);

/* The rows of allowed.def, for people. */
struct probe_allowed {
    int16_t key;
    const char *name;
    const char *fields;
};
const struct probe_allowed *probe_allowed_rows(size_t *count);

#endif

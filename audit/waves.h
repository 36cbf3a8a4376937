/*
 * waves: which topics have to move together, and in which order.
 *
 * Two topics are tied where one program needs both on one cluster: a transaction that writes both,
 * an application of Kafka Streams that reads, writes or keeps state in both, a sink connector that
 * reads both, or somebody who says so. What a program of read-process-write reads is tied to what
 * it writes where its offsets are committed in its transactions, or its group's id begins its
 * transactional ids. A plain consumer group ties nothing:
 * it can read two clusters by two consumers.
 *
 * A wave is a set of topics between any two of which there is a path of ties. Waves that need the
 * least come first: by their worst verdict, then the number of topics, then bytes, then names.
 *
 * Owned by the caller; views of the inventory, whose facts and rules must have been derived, stay
 * valid as long as it does. Internal topics are in no wave.
 */
#ifndef AUDIT_WAVES_H
#define AUDIT_WAVES_H

#include "audit/inventory.h"
#include "audit/rules.h"

enum waves_kind { WAVES_TRANSACTION, WAVES_STREAMS, WAVES_CONNECTOR, WAVES_DECLARED, WAVES_KINDS };

/* What ties topics: a transactional id, an application, a connector's group, or a declaration. */
struct waves_subject {
    enum waves_kind kind;
    const char *name;
    enum audit_probe probe; /* that told */
    uint32_t *topics;       /* places in the inventory, each once */
    uint32_t topic_count;
};

struct waves_wave {
    uint32_t *topics; /* by name */
    uint32_t topic_count;
    uint32_t *subjects; /* places in waves.subjects */
    uint32_t subject_count;
    enum rules_verdict worst; /* for the designs that were asked for */
    int64_t bytes;            /* -1: not known */
};

struct waves {
    struct waves_subject *subjects;
    uint32_t subject_count;
    struct waves_wave *waves;
    uint32_t wave_count;
    uint32_t alone;    /* waves of one topic */
    uint32_t *wave_of; /* by place of the topic; INVENTORY_NO_NUMBER for internal ones */
};

/* waves_plan makes waves. designs: bits of enum rules_design. declared: texts of topics' names with
 * commas between, each of which ties its topics; RC_CONFIG for a name that is no topic. */
MUST_CHECK enum rc waves_plan(struct waves *waves, const struct audit_inventory *inventory,
    uint32_t designs, const char *const *declared, size_t declared_count, struct err *e);
void waves_free(struct waves *waves);

/* One step of a path: from the topic before to this one, by a subject. */
struct waves_step {
    uint32_t subject;
    uint32_t topic;
};

/* waves_path finds a shortest path between two topics and returns its steps, which the caller
 * frees; NULL with *count 0 where there is none, or both are the same. */
struct waves_step *waves_path(const struct waves *waves, const struct audit_inventory *inventory,
    uint32_t from, uint32_t to, uint32_t *count);

/* Names of kinds for people. */
const char *waves_kind(enum waves_kind kind);

#endif

/*
 * top_model: what the dashboard knows: plain values, filled by the poller and the audit, drawn by
 * the view.
 *
 * What is not known is negative (sizes, rates, lags) or TOP_UNKNOWN; what nobody has looked at yet
 * is TOP_PENDING. Sizes are read less often than offsets: a model that has none takes those of the
 * model before (top_model_rates).
 */
#ifndef CLI_TOP_MODEL_H
#define CLI_TOP_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define TOP_MODEL_TEXT 256
#define TOP_MODEL_HISTORY 32

enum top_known { TOP_PENDING, TOP_UNKNOWN, TOP_NO, TOP_YES };
enum top_verdict { TOP_NOT_JUDGED, TOP_READY, TOP_CHANGES, TOP_UNDECIDED, TOP_BLOCKED };
#define TOP_VERDICTS (TOP_BLOCKED + 1)

/* What the audit says of a topic. */
struct top_traits {
    enum top_known transactions;
    enum top_known compaction;
    enum top_known streams;
    enum top_known idempotence;
    enum top_verdict coordinated;
    enum top_verdict wal;
};

/* The size of a topic at one cluster, summed over its partitions. */
struct top_size {
    int64_t bytes;     /* as stored, one replica; -1: not known */
    int64_t log_start; /* sum of the log starts when it was read */
};

struct top_topic {
    char *name;
    int32_t partitions;
    int64_t records; /* end minus start, over all partitions */
    int64_t end;     /* sum of the ends */
    double rate;     /* records a second; -1: not known */
    struct top_size size;
    double byte_rate; /* growth of the log; -1: not known, or retention took something meanwhile */
    struct top_traits traits;
    bool mirrored; /* the target has it */
    int64_t lag;   /* records that the target lacks */
    double mirror_rate;
    struct top_size target_size;
    double mirror_byte_rate;     /* -1: not known */
    bool mirror_bytes_estimated; /* records copied times the mean size of the topic's records */
    double closing_rate;         /* records a second by which the lag shrinks, smoothed */
    double eta_s;                /* until the lag is 0; -1: not known, or it does not shrink */
};

struct top_group {
    char *name;
    char *state;
    char *type;
    int64_t lag; /* -1: nothing is committed */
    int32_t partitions;
};

struct top_model {
    char from[TOP_MODEL_TEXT];
    char to[TOP_MODEL_TEXT]; /* "": no mirror */
    char cluster_id[TOP_MODEL_TEXT];
    char error[TOP_MODEL_TEXT]; /* of the last round; "": none */
    bool target_answered;       /* what is said of the mirror is of this round */
    int32_t brokers;
    int32_t partitions;
    int64_t records;
    int64_t bytes; /* of the topics whose size is known; -1: of none */
    double rate;
    double mirror_rate;
    double mirror_byte_rate; /* -1: not known for some topic */
    bool mirror_bytes_estimated;
    int64_t mirror_lag;
    double mirror_eta_s;               /* of the slowest topic; -1: not known */
    double history[TOP_MODEL_HISTORY]; /* of rate, newest last */
    int32_t history_count;
    struct top_topic *topics;
    int32_t topic_count;
    struct top_group *groups;
    int32_t group_count;
    int64_t rounds; /* completed */
    int64_t asked_wall_ms;
    int64_t asked_ms;                 /* monotonic */
    int64_t sized_ms;                 /* monotonic; 0: this round has not asked for sizes */
    char audit_error[TOP_MODEL_TEXT]; /* why there is no audit; "": there is, or it is under way */
    int64_t audit_number;             /* which audit the traits are from; 0: none */
};

/* top_model_fini frees all; top_model_move hands the content of `from` to `to` and leaves `from`
 * empty; top_model_copy makes *to, which holds nothing, a copy. */
void top_model_fini(struct top_model *model);
void top_model_move(struct top_model *to, struct top_model *from);
void top_model_copy(struct top_model *to, const struct top_model *from);

/* top_model_rates fills in what needs the model before: rates, times to go, sizes that this round
 * did not ask for; and carries the history on. */
void top_model_rates(struct top_model *now, const struct top_model *before);

#endif

/*
 * top_model: what the dashboard knows: plain values, filled by the poller, drawn by the view.
 */
#ifndef CLI_TOP_MODEL_H
#define CLI_TOP_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#define TOP_MODEL_TEXT 256
#define TOP_MODEL_HISTORY 32

struct top_topic {
    char *name;
    int32_t partitions;
    int64_t records; /* end minus start, over all partitions */
    int64_t end;     /* sum of the ends */
    double rate;     /* records a second, -1: unknown yet */
    bool mirrored;   /* the target has it */
    int64_t lag;     /* records that the target lacks */
    double mirror_rate;
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
    int32_t brokers;
    int32_t partitions;
    int64_t records;
    double rate;
    double mirror_rate;
    int64_t mirror_lag;
    double history[TOP_MODEL_HISTORY]; /* of rate, newest last */
    int32_t history_count;
    struct top_topic *topics;
    int32_t topic_count;
    struct top_group *groups;
    int32_t group_count;
    int64_t rounds; /* completed */
    int64_t asked_wall_ms;
    int64_t asked_ms; /* monotonic */
};

/* top_model_fini frees all; top_model_move hands the content of `from` to `to` and leaves `from`
 * empty. */
void top_model_fini(struct top_model *model);
void top_model_move(struct top_model *to, struct top_model *from);

/* top_model_rates fills in the rates of `now` from what was before, and carries the history on. */
void top_model_rates(struct top_model *now, const struct top_model *before);

#endif

#include "cli/top_model.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"
#include "lib/base/xalloc.h"

#define CLOSING_WEIGHT 0.3 /* of the newest round */

void
top_model_fini(struct top_model *model)
{
    for (int32_t i = 0; i < model->topic_count; i++)
        free(model->topics[i].name);
    for (int32_t i = 0; i < model->group_count; i++) {
        free(model->groups[i].name);
        free(model->groups[i].state);
        free(model->groups[i].type);
    }
    free(model->topics);
    free(model->groups);
    memset(model, 0, sizeof *model);
}

void
top_model_move(struct top_model *to, struct top_model *from)
{
    top_model_fini(to);
    *to = *from;
    memset(from, 0, sizeof *from);
}

void
top_model_copy(struct top_model *to, const struct top_model *from)
{
    *to = *from;
    to->topics = xcalloc((size_t)from->topic_count, sizeof *to->topics);
    to->groups = xcalloc((size_t)from->group_count, sizeof *to->groups);
    for (int32_t i = 0; i < from->topic_count; i++) {
        to->topics[i] = from->topics[i];
        to->topics[i].name = xstrdup(from->topics[i].name);
    }
    for (int32_t i = 0; i < from->group_count; i++) {
        to->groups[i] = from->groups[i];
        to->groups[i].name = xstrdup(from->groups[i].name);
        to->groups[i].state = xstrdup(from->groups[i].state);
        to->groups[i].type = xstrdup(from->groups[i].type);
    }
}

static void
history_add(struct top_model *now, const struct top_model *before)
{
    int32_t keep =
        before->history_count < TOP_MODEL_HISTORY ? before->history_count : TOP_MODEL_HISTORY - 1;

    memcpy(now->history, before->history + (before->history_count - keep),
        (size_t)keep * sizeof *now->history);
    now->history[keep] = now->rate;
    now->history_count = keep + 1;
}

/* What came in between two sizes; not known where something may have been deleted meanwhile. */
static double
growth(const struct top_size *now, const struct top_size *before, double seconds)
{
    if (now->bytes < before->bytes || before->bytes < 0 || now->log_start != before->log_start ||
        seconds <= 0)
        return -1;
    return (double)(now->bytes - before->bytes) / seconds;
}

static void
sizes_follow(struct top_topic *topic, const struct top_topic *old, bool asked, double seconds)
{
    if (!asked) {
        topic->size = old->size;
        topic->byte_rate = old->byte_rate;
        topic->target_size = old->target_size;
        topic->mirror_byte_rate = old->mirror_bytes_estimated ? -1 : old->mirror_byte_rate;
        return;
    }
    topic->byte_rate = growth(&topic->size, &old->size, seconds);
    topic->mirror_byte_rate = growth(&topic->target_size, &old->target_size, seconds);
}

static void
records_follow(struct top_topic *topic, const struct top_topic *old, double seconds)
{
    double closing = (double)(old->lag - topic->lag) / seconds;

    topic->rate = (double)(topic->end - old->end) / seconds;
    /* The two sides are not asked at the same moment: a source that runs ahead is no loss. */
    topic->mirror_rate = topic->rate + closing < 0 ? 0 : topic->rate + closing;
    topic->closing_rate = old->rate < 0
                              ? closing
                              : old->closing_rate + CLOSING_WEIGHT * (closing - old->closing_rate);
    if (topic->lag == 0)
        topic->eta_s = 0;
    else if (topic->closing_rate > 0)
        topic->eta_s = (double)topic->lag / topic->closing_rate;
}

static void
sums(struct top_model *now)
{
    now->rate = now->mirror_rate = now->mirror_byte_rate = now->mirror_eta_s = 0;
    now->bytes = -1;
    now->mirror_bytes_estimated = false;
    for (int32_t i = 0; i < now->topic_count; i++) {
        const struct top_topic *topic = &now->topics[i];

        now->rate += topic->rate > 0 ? topic->rate : 0;
        if (topic->size.bytes >= 0)
            now->bytes = (now->bytes < 0 ? 0 : now->bytes) + topic->size.bytes;
        if (!topic->mirrored)
            continue;
        now->mirror_rate += topic->mirror_rate;
        now->mirror_bytes_estimated |= topic->mirror_bytes_estimated;
        if (topic->mirror_byte_rate < 0)
            now->mirror_byte_rate = -1;
        else if (now->mirror_byte_rate >= 0)
            now->mirror_byte_rate += topic->mirror_byte_rate;
        if (topic->eta_s < 0)
            now->mirror_eta_s = -1;
        else if (now->mirror_eta_s >= 0 && topic->eta_s > now->mirror_eta_s)
            now->mirror_eta_s = topic->eta_s;
    }
}

void
top_model_rates(struct top_model *now, const struct top_model *before)
{
    double seconds = (double)(now->asked_ms - before->asked_ms) / 1000;
    double sized_seconds = (double)(now->sized_ms - before->sized_ms) / 1000;
    struct map known;

    map_init(&known);
    for (int32_t i = 0; i < before->topic_count; i++)
        map_put_text(&known, before->topics[i].name, &before->topics[i]);
    for (int32_t i = 0; i < now->topic_count; i++) {
        struct top_topic *topic = &now->topics[i];
        const struct top_topic *old = map_get_text(&known, topic->name);

        topic->rate = topic->byte_rate = topic->mirror_byte_rate = -1;
        topic->eta_s = topic->mirrored && topic->lag == 0 ? 0 : -1;
        if (old == NULL || seconds <= 0)
            continue;
        records_follow(topic, old, seconds);
        sizes_follow(topic, old, now->sized_ms != 0, sized_seconds);
        if (topic->mirrored && topic->mirror_byte_rate < 0 && topic->size.bytes >= 0 &&
            topic->records > 0) {
            topic->mirror_byte_rate =
                topic->mirror_rate * (double)topic->size.bytes / (double)topic->records;
            topic->mirror_bytes_estimated = true;
        }
    }
    map_fini(&known, NULL);
    if (now->sized_ms == 0)
        now->sized_ms = before->sized_ms;
    sums(now);
    history_add(now, before);
    now->rounds = before->rounds + 1;
}

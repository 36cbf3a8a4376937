#include "cli/top_model.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/map.h"

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

void
top_model_rates(struct top_model *now, const struct top_model *before)
{
    double seconds = (double)(now->asked_ms - before->asked_ms) / 1000;
    struct map known;

    map_init(&known);
    for (int32_t i = 0; i < before->topic_count; i++)
        map_put_text(&known, before->topics[i].name, &before->topics[i]);
    now->rate = now->mirror_rate = 0;
    for (int32_t i = 0; i < now->topic_count; i++) {
        struct top_topic *topic = &now->topics[i];
        const struct top_topic *old = map_get_text(&known, topic->name);

        topic->rate = -1;
        if (old == NULL || seconds <= 0)
            continue;
        topic->rate = (double)(topic->end - old->end) / seconds;
        topic->mirror_rate = topic->rate + (double)(old->lag - topic->lag) / seconds;
        now->rate += topic->rate;
        now->mirror_rate += topic->mirrored ? topic->mirror_rate : 0;
    }
    map_fini(&known, NULL);
    history_add(now, before);
    now->rounds = before->rounds + 1;
}

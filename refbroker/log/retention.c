#include "refbroker/log/retention.h"

#include "lib/base/log.h"
#include "lib/wire/kerr.h"
#include "refbroker/log/log_start.h"

int64_t
retention_start(const struct partition *partition, int64_t now_wall_ms)
{
    const struct topic_values *values = &partition->topic->configs.values;
    const struct run_index *index = &partition->runs;
    int64_t start = partition->log_start_offset;
    int64_t bytes = run_index_bytes(index);

    if (!values->deletes)
        return start;
    for (size_t i = 0; i < index->count; i++) {
        const struct run *run = &index->runs[i];
        bool too_old = values->retention_ms >= 0 && run->max_timestamp >= 0 &&
                       now_wall_ms - run->max_timestamp > values->retention_ms;
        bool too_much =
            values->retention_bytes >= 0 && bytes - run->size >= values->retention_bytes;

        if (!too_old && !too_much)
            break;
        bytes -= run->size;
        start = run->last_offset + 1;
    }
    return start;
}

static void
moved(struct broker *broker, void *arg, struct partition *partition, int16_t error)
{
    (void)broker;
    (void)arg;
    (void)partition;
    if (error != KE_NONE && error != KE_UNKNOWN_TOPIC_OR_PARTITION)
        log_warn("RETENTION", "a log start could not be moved: %s", kerr_name(error));
}

int64_t
retention_tick(struct broker *broker)
{
    int64_t now = env_now_ms(broker->env), wall = env_wall_ms(broker->env);
    struct topic *topic;
    size_t position = 0;

    if (now < broker->retention_next_ms)
        return broker->retention_next_ms;
    broker->retention_next_ms = now + broker->options.retention_check_ms;
    while ((topic = topics_next(&broker->topics, &position)) != NULL)
        for (int32_t i = 0; i < topic->partition_count; i++) {
            struct partition *partition = topic->partitions[i];
            int64_t start = retention_start(partition, wall);

            if (start > partition->log_start_offset)
                log_start_move(broker, partition, start, false, moved, NULL);
        }
    return broker->retention_next_ms;
}

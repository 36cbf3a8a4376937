#include "refbroker/log/producer_expiry.h"

#include "refbroker/log/verifications.h"

int64_t
producer_expiry_tick(struct broker *broker)
{
    int64_t now = env_now_ms(broker->env);
    int64_t before = env_wall_ms(broker->env) - broker->options.producer_id_expiration_ms;
    struct topic *topic;

    if (now < broker->producer_expiry_next_ms)
        return broker->producer_expiry_next_ms;
    broker->producer_expiry_next_ms = now + broker->options.producer_id_expiration_check_ms;
    for (size_t position = 0; (topic = topics_next(&broker->topics, &position)) != NULL;)
        for (int32_t i = 0; i < topic->partition_count; i++)
            if (topic->partitions[i]->producers != NULL)
                producers_expire(topic->partitions[i]->producers, before + 1);
    verifications_expire(broker->verifications, before + 1);
    return broker->producer_expiry_next_ms;
}

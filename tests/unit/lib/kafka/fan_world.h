/* What both tests of cluster_fan stand on: three scripted brokers, a fan over the partitions of a
 * topic, and what became of each item. */
#ifndef TESTS_UNIT_LIB_KAFKA_FAN_WORLD_H
#define TESTS_UNIT_LIB_KAFKA_FAN_WORLD_H

#include "tests/unit/unit.h"

#include "tests/unit/lib/kafka/cluster_rig.h"

#define PARTITIONS 10000

static struct cluster_rig rig;
static struct cluster_fan *fan;
static struct cluster_fan_stats stats;

struct result {
    int ends;
    enum rc rc;
    int16_t code;
    int64_t offset;
    char text[ERR_TEXT_MAX];
};
static struct result *results;
static int end_count;
static int in_flight[FAKE_BROKERS + 1], most_in_flight;
static char free_in; /* callback in which to free the fan: t b p d e, or 0 */
static bool endless;

static inline int
start(void **state)
{
    (void)state;
    results = xcalloc(FAKE_PARTITIONS_MAX, sizeof *results);
    end_count = most_in_flight = 0;
    memset(in_flight, 0, sizeof in_flight);
    free_in = 0;
    endless = false;
    fan = NULL;
    return cluster_rig_start(&rig, PARTITIONS);
}

static inline int
end(void **state)
{
    (void)state;
    cluster_fan_free(fan);
    cluster_rig_stop(&rig);
    free(results);
    return 0;
}

static inline void
free_if(char place)
{
    if (free_in != place)
        return;
    cluster_fan_free(fan);
    fan = NULL;
}

static inline void
on_target(void *arg, uint32_t item, struct cluster_target *out)
{
    (void)arg;
    *out = (struct cluster_target){CLUSTER_LEADER, "t", (int32_t)item};
}

static inline size_t
on_build(void *arg, struct cluster_fan_batch *batch)
{
    struct km_list_offsets_request *request = batch->request;
    struct km_list_offsets_request_topic *topic =
        codec_array(batch->arena, &km_list_offsets_request_topic_desc, 1);

    (void)arg;
    topic->name = (struct wire_string){"t", 1};
    topic->partitions.items =
        codec_array(batch->arena, &km_list_offsets_request_partition_desc, (int32_t)batch->count);
    topic->partitions.count = (int32_t)batch->count;
    for (size_t i = 0; i < batch->count; i++)
        topic->partitions.items[i].partition_index = (int32_t)batch->items[i];
    request->topics.items = topic;
    request->topics.count = 1;
    if (++in_flight[batch->broker] > most_in_flight)
        most_in_flight = in_flight[batch->broker];
    return batch->count;
}

static inline void
on_parse(void *arg, struct cluster_fan_batch *batch)
{
    const struct km_list_offsets_response *response = batch->response;
    const struct km_list_offsets_response_topic_response *topic = &response->topics.items[0];

    (void)arg;
    in_flight[batch->broker]--;
    for (int32_t i = 0; i < topic->partitions.count; i++) {
        const struct km_list_offsets_response_partition_response *partition =
            &topic->partitions.items[i];
        uint32_t item = (uint32_t)partition->partition_index;

        results[item].offset = partition->offset;
        if (endless && partition->error_code == KE_NONE && results[item].ends < 0)
            cluster_fan_again(batch->fan, item);
        else
            cluster_fan_settle(batch->fan, item, partition->error_code);
        if (free_in == 'p' && i == 1) {
            free_if('p');
            return;
        }
    }
}

static inline void
on_done(void *arg, uint32_t item, enum rc rc, int16_t code, const struct err *e)
{
    struct result *result = &results[item];

    (void)arg;
    result->ends++;
    result->rc = rc;
    result->code = code;
    snprintf(result->text, sizeof result->text, "%s", e->text);
    free_if('d');
}

static inline void
on_end(void *arg)
{
    (void)arg;
    end_count++;
    free_if('e');
}

static inline struct cluster_fan_spec
spec_of(uint32_t items)
{
    return (struct cluster_fan_spec){.api = frame_api(KM_LIST_OFFSETS),
        .item_count = items,
        .target = on_target,
        .build = on_build,
        .parse = on_parse,
        .done = on_done,
        .end = on_end};
}

static inline void
run(const struct cluster_fan_spec *spec)
{
    cluster_fan_out(rig.cluster, spec, &stats);
    for (uint32_t i = 0; i < spec->item_count; i++)
        assert_int_equal(results[i].ends, 1);
    assert_int_equal(end_count, 1);
    assert_int_equal(stats.done, spec->item_count);
}

static inline int32_t
answered_by(uint32_t item)
{
    assert_int_equal(results[item].offset % 1000000, item);
    return (int32_t)(results[item].offset / 1000000);
}

#define WAIT(cond) CLUSTER_RIG_WAIT(&rig, cond)

#endif

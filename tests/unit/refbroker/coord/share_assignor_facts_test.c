/* The assignor of share groups beside Kafka's own (share_assignor_facts.def). */
#include <stdio.h>
#include <stdlib.h>

#include "refbroker/coord/share_assignor.h"
#include "tests/unit/unit.h"

#define TOPICS_MAX 8
#define MEMBERS_MAX 16
#define PARTITIONS_MAX 64
#define NAME_BYTES 32
#define TEXT_BYTES 4096

struct fact {
    const char *group;
    const char *targets;
};

static const struct fact facts[] = {
#define FACT(group, targets) {group, targets},
#include "tests/unit/refbroker/coord/share_assignor_facts.def"
#undef FACT
};

struct rig {
    const char *at; /* in the fact */
    struct wire_uuid ids[TOPICS_MAX];
    char names[TOPICS_MAX][NAME_BYTES];
    int32_t partitions[TOPICS_MAX][PARTITIONS_MAX];
    int32_t places[MEMBERS_MAX][TOPICS_MAX];
    struct share_assignor_topic topics[TOPICS_MAX];
    struct share_assignor_member members[MEMBERS_MAX];
    struct share_parts owned[MEMBERS_MAX];
    struct share_assignor_group group;
};

static int32_t
number(struct rig *rig)
{
    char *end;
    long value = strtol(rig->at, &end, 10);

    assert_true(end > rig->at);
    rig->at = end;
    return (int32_t)value;
}

/* The next word, at most so many bytes with its end. */
static void
word(struct rig *rig, char *out, size_t size)
{
    size_t length;

    rig->at += strspn(rig->at, " \n");
    length = strcspn(rig->at, " \n");
    assert_true(length > 0 && length < size);
    memcpy(out, rig->at, length);
    out[length] = '\0';
    rig->at += length;
}

static void
ids_read(struct rig *rig)
{
    int32_t count = number(rig);

    assert_true(count <= TOPICS_MAX);
    for (int32_t i = 0; i < count; i++) {
        char text[33];

        word(rig, text, sizeof text);
        for (int k = 0; k < 16; k++) {
            char pair[] = {text[2 * k], text[2 * k + 1], '\0'};

            rig->ids[i].bytes[k] = (uint8_t)strtoul(pair, NULL, 16);
        }
    }
}

static void
topic_read(struct rig *rig, int32_t place)
{
    struct share_assignor_topic *topic = &rig->topics[place];

    topic->topic_id = rig->ids[number(rig)];
    word(rig, rig->names[place], NAME_BYTES);
    topic->name = rig->names[place];
    topic->partition_count = number(rig);
    assert_true(topic->partition_count <= PARTITIONS_MAX);
    for (int32_t i = 0; i < topic->partition_count; i++)
        rig->partitions[place][i] = number(rig);
    topic->partitions = rig->partitions[place];
}

static void
member_read(struct rig *rig, int32_t place)
{
    struct share_assignor_member *member = &rig->members[place];
    int32_t count;

    member->topic_count = number(rig);
    for (int32_t i = 0; i < member->topic_count; i++)
        rig->places[place][i] = number(rig);
    member->topics = rig->places[place];
    member->name_count = (size_t)member->topic_count;
    member->owned = &rig->owned[place];
    count = number(rig);
    for (int32_t i = 0; i < count; i++) {
        int32_t id = number(rig), partition = number(rig);

        if (partition < 0)
            (void)share_parts_topic_add(&rig->owned[place], &rig->ids[id]);
        else
            share_parts_add(&rig->owned[place], rig->owned[place].count - 1, partition);
    }
}

static void
fact_read(struct rig *rig, const struct fact *fact)
{
    memset(rig, 0, sizeof *rig);
    rig->at = fact->group;
    rig->group.topics = rig->topics;
    rig->group.members = rig->members;
    rig->group.topic_count = number(rig);
    rig->group.member_count = number(rig);
    rig->group.homogeneous = number(rig) == 1;
    assert_true(rig->group.member_count <= MEMBERS_MAX);
    ids_read(rig);
    for (int32_t i = 0; i < rig->group.topic_count; i++)
        topic_read(rig, i);
    for (int32_t i = 0; i < rig->group.member_count; i++)
        member_read(rig, i);
}

static int32_t
id_place(const struct rig *rig, const struct wire_uuid *topic_id)
{
    int32_t place = 0;

    while (memcmp(&rig->ids[place], topic_id, sizeof *topic_id) != 0)
        place++;
    return place;
}

static void
targets_print(const struct rig *rig, char out[TEXT_BYTES])
{
    FILE *file = fmemopen(out, TEXT_BYTES, "w");

    assert_non_null(file);
    for (int32_t i = 0; i < rig->group.member_count; i++) {
        const struct share_parts *target = &rig->members[i].target;

        if (target->count == 0)
            fprintf(file, "-");
        for (size_t k = 0; k < target->count; k++) {
            fprintf(file, "%s%d:", k == 0 ? "" : " ", id_place(rig, &target->topics[k].topic_id));
            for (int32_t n = 0; n < target->topics[k].partition_count; n++)
                fprintf(file, "%d,", target->topics[k].partitions[n]);
        }
        fprintf(file, "\n");
    }
    fclose(file);
}

static void
groups_get_what_kafka_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
        char text[TEXT_BYTES];
        struct rig rig;

        fact_read(&rig, &facts[i]);
        share_assignor_simple(&rig.group);
        targets_print(&rig, text);
        if (strcmp(text, facts[i].targets) != 0)
            fail_msg("fact %zu:\n%s\nis not\n%s", i, text, facts[i].targets);
        for (int k = 0; k < MEMBERS_MAX; k++) {
            share_parts_fini(&rig.owned[k]);
            share_parts_fini(&rig.members[k].target);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_get_what_kafka_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

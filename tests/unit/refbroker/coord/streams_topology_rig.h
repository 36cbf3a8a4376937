/* Topologies for tests, from text.
 *
 *     "a: s1 s2 >r1 <r1 <r2=3 *c1 {0 1 r0}"
 *
 * is a subtopology "a" that reads s1 and s2, writes into r1, reads the repartition topics r1 and r2
 * (of 3 partitions), keeps its state in c1, and has a copartition group of its source topics 0 and
 * 1 and its repartition topic 0; "*c1?k:v" gives it a config. Subtopologies are separated by ";".
 */
#ifndef TESTS_UNIT_REFBROKER_COORD_STREAMS_TOPOLOGY_RIG_H
#define TESTS_UNIT_REFBROKER_COORD_STREAMS_TOPOLOGY_RIG_H

#include "lib/base/arena.h"
#include "lib/wire/codec.h"
#include "refbroker/coord/streams_topology.h"
#include "tests/unit/unit.h"

#define RIG_ITEMS_MAX 64 /* in each list */

typedef struct km_streams_group_heartbeat_request_topology rig_topology;
typedef struct km_streams_group_heartbeat_request_subtopology rig_subtopology;
typedef struct km_streams_group_heartbeat_request_topic_info rig_info;
typedef struct km_streams_group_heartbeat_request_copartition_group rig_group;

/* "name=partitions?key:value?key:value" */
static inline rig_info
rig_info_of(struct arena *arena, char *word)
{
    char *configs = NULL, *name = strtok_r(word, "?", &configs), *key, *count;
    rig_info info = {.name = {NULL, 0}};

    info.topic_configs.items = arena_array(arena, RIG_ITEMS_MAX, sizeof *info.topic_configs.items);
    while ((key = strtok_r(NULL, "?", &configs)) != NULL) {
        char *value = strchr(key, ':');

        *value = '\0';
        info.topic_configs.items[info.topic_configs.count].key = codec_string(key);
        info.topic_configs.items[info.topic_configs.count++].value = codec_string(value + 1);
    }
    count = strchr(name, '=');
    if (count != NULL) {
        *count = '\0';
        info.partitions = (int32_t)strtol(count + 1, NULL, 10);
    }
    info.name = codec_string(name);
    return info;
}

static inline void
rig_group_word(rig_group *group, const char *word)
{
    if (*word == 'r')
        group->repartition_source_topics.items[group->repartition_source_topics.count++] =
            (int16_t)strtol(word + 1, NULL, 10);
    else
        group->source_topics.items[group->source_topics.count++] = (int16_t)strtol(word, NULL, 10);
}

static inline rig_group *
rig_group_begin(struct arena *arena, rig_subtopology *s)
{
    rig_group *group = &s->copartition_groups.items[s->copartition_groups.count++];

    group->source_topics.items = arena_array(arena, RIG_ITEMS_MAX, sizeof(int16_t));
    group->repartition_source_topics.items = arena_array(arena, RIG_ITEMS_MAX, sizeof(int16_t));
    return group;
}

static inline void
rig_word(struct arena *arena, rig_subtopology *s, char *word)
{
    if (*word == '>')
        s->repartition_sink_topics.items[s->repartition_sink_topics.count++] =
            codec_string(word + 1);
    else if (*word == '<')
        s->repartition_source_topics.items[s->repartition_source_topics.count++] =
            rig_info_of(arena, word + 1);
    else if (*word == '*')
        s->state_changelog_topics.items[s->state_changelog_topics.count++] =
            rig_info_of(arena, word + 1);
    else
        s->source_topics.items[s->source_topics.count++] = codec_string(word);
}

static inline void
rig_subtopology_read(struct arena *arena, rig_subtopology *s, char *text)
{
    char *words = NULL, *word = strtok_r(text, " ", &words);
    rig_group *group = NULL;

    codec_init(&km_streams_group_heartbeat_request_subtopology_desc, s);
    s->source_topics.items = arena_array(arena, RIG_ITEMS_MAX, sizeof(struct wire_string));
    s->repartition_sink_topics.items =
        arena_array(arena, RIG_ITEMS_MAX, sizeof(struct wire_string));
    s->repartition_source_topics.items = arena_array(arena, RIG_ITEMS_MAX, sizeof(rig_info));
    s->state_changelog_topics.items = arena_array(arena, RIG_ITEMS_MAX, sizeof(rig_info));
    s->copartition_groups.items = arena_array(arena, RIG_ITEMS_MAX, sizeof(rig_group));
    word[strlen(word) - 1] = '\0';
    s->subtopology_id = codec_string(word);
    while ((word = strtok_r(NULL, " ", &words)) != NULL) {
        size_t last = strlen(word) - 1;
        bool ends = word[last] == '}';

        if (*word == '{') {
            group = rig_group_begin(arena, s);
            word++;
            last--;
        }
        if (ends)
            word[last] = '\0';
        if (group == NULL)
            rig_word(arena, s, word);
        else if (*word != '\0')
            rig_group_word(group, word);
        if (ends)
            group = NULL;
    }
}

/* The topology of a text, in arena. */
static inline rig_topology *
rig_topology_of(struct arena *arena, int32_t epoch, const char *text)
{
    rig_topology *topology = arena_alloc(arena, sizeof *topology);
    char *copy = arena_strdup(arena, text), *parts = NULL;

    topology->epoch = epoch;
    topology->subtopologies.items = arena_array(arena, RIG_ITEMS_MAX, sizeof(rig_subtopology));
    for (char *part = strtok_r(copy, ";", &parts); part != NULL; part = strtok_r(NULL, ";", &parts))
        rig_subtopology_read(
            arena, &topology->subtopologies.items[topology->subtopologies.count++], part);
    return topology;
}

/* The same, taken in; it must be possible. */
static inline struct streams_topology *
rig_topology_make(int32_t epoch, const char *text)
{
    struct streams_topology *topology;
    struct arena arena;
    int16_t error;

    arena_init(&arena, (size_t)1 << 24);
    topology = streams_topology_of_request(rig_topology_of(&arena, epoch, text), &error, NULL);
    assert_non_null(topology);
    assert_int_equal(error, 0);
    arena_fini(&arena);
    return topology;
}

#endif

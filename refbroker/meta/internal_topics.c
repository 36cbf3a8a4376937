#include "refbroker/meta/internal_topics.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/xalloc.h"

struct config_row {
    enum internal_topic topic;
    const char *name;
    const char *value; /* NULL: a number of the settings */
    size_t offset;
};

static const char *const names[] = {
#define INTERNAL_TOPIC(id, name) name,
#define INTERNAL_CONFIG(id, name, value)
#define INTERNAL_SETTING(id, name, member)
#include "refbroker/meta/internal_topics.def"
#undef INTERNAL_TOPIC
#undef INTERNAL_CONFIG
#undef INTERNAL_SETTING
};

static const struct config_row rows[] = {
#define INTERNAL_TOPIC(id, name)
#define INTERNAL_CONFIG(id, name, value) {INTERNAL_##id, name, value, 0},
#define INTERNAL_SETTING(id, name, member)                                                         \
    {INTERNAL_##id, name, NULL, offsetof(struct internal_topic_settings, member)},
#include "refbroker/meta/internal_topics.def"
#undef INTERNAL_TOPIC
#undef INTERNAL_CONFIG
#undef INTERNAL_SETTING
};

enum internal_topic
internal_topics_find(const char *name)
{
    enum internal_topic topic = 0;

    while (topic < INTERNAL_TOPIC_COUNT && strcmp(names[topic], name) != 0)
        topic++;
    return topic;
}

size_t
internal_topics_configs(enum internal_topic topic, const struct internal_topic_settings *settings,
    struct internal_topic_config configs[INTERNAL_TOPIC_CONFIGS_MAX])
{
    size_t count = 0;
    int32_t number;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].topic != topic)
            continue;
        REQUIRE(count < INTERNAL_TOPIC_CONFIGS_MAX);
        configs[count].name = rows[i].name;
        memcpy(&number, (const char *)settings + rows[i].offset, sizeof number);
        if (rows[i].value != NULL)
            snprintf(configs[count].value, sizeof configs[count].value, "%s", rows[i].value);
        else
            snprintf(configs[count].value, sizeof configs[count].value, "%d", number);
        count++;
    }
    return count;
}

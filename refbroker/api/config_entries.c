#include "refbroker/api/config_entries.h"

#include <stdio.h>
#include <string.h>

#include "lib/wire/codec.h"

typedef struct km_describe_configs_response_resource_result config_out;
typedef struct km_describe_configs_response_synonym synonym_out;

void
config_entries_init(struct config_entries *entries, const struct broker *broker,
    struct request *request, const struct km_describe_configs_request_resource *ask,
    struct km_describe_configs_response_result *out)
{
    *entries = (struct config_entries){broker, request, ask, out, {0}};
    map_init(&entries->asked);
    for (int32_t i = 0; i < ask->configuration_keys.count; i++) {
        struct wire_string key = ask->configuration_keys.items[i];

        if (key.size >= 0)
            (void)map_put(&entries->asked, key.data, (size_t)key.size, entries);
    }
}

void
config_entries_fini(struct config_entries *entries)
{
    map_fini(&entries->asked, NULL);
}

bool
config_entries_begin(struct config_entries *entries, size_t most)
{
    entries->out->configs.items = codec_array(&entries->request->arena,
        &km_describe_configs_response_resource_result_desc, (int32_t)most);
    return entries->out->configs.items != NULL;
}

static bool
is_asked(const struct config_entries *entries, const char *name)
{
    /* No keys are all keys, too. */
    return entries->ask->configuration_keys.count <= 0 ||
           map_get_text(&entries->asked, name) != NULL;
}

static bool
is_sensitive(enum config_type type)
{
    return type == CONFIG_PASSWORD || type == CONFIG_UNKNOWN;
}

/* Adds an entry that has these values, the first of which counts. */
static bool
add(struct config_entries *entries, const struct config_entry *entry,
    const struct broker_config_value *values, size_t count)
{
    const struct km_describe_configs_request *in = entries->request->in;
    struct request *request = entries->request;
    config_out *out = &entries->out->configs.items[entries->out->configs.count++];
    bool sensitive = is_sensitive(entry->type);

    out->name = request_text_dup(request, entry->name);
    out->value = request_text_dup(request, sensitive ? NULL : entry->value);
    out->config_source = (int8_t)(count > 0 ? values[0].source : CONFIG_SOURCE_DEFAULT);
    out->config_type = (int8_t)entry->type;
    out->is_sensitive = sensitive;
    out->read_only = entry->read_only;
    out->documentation = request_text(in->include_documentation ? entry->help : NULL);
    if (!in->include_synonyms)
        return !arena_is_full(&request->arena);
    out->synonyms.items =
        codec_array(&request->arena, &km_describe_configs_response_synonym_desc, (int32_t)count);
    for (size_t i = 0; i < count && out->synonyms.items != NULL; i++)
        out->synonyms.items[out->synonyms.count++] = (synonym_out){
            request_text_dup(request, values[i].name),
            request_text_dup(request, sensitive ? NULL : values[i].text), (int8_t)values[i].source};
    return !arena_is_full(&request->arena);
}

bool
config_entries_add(struct config_entries *entries, const struct config_entry *entry)
{
    struct broker_config_value values[1 + BROKER_CONFIG_VALUES_MAX];
    size_t count = 0;

    if (!is_asked(entries, entry->name))
        return true;
    if (entry->set != NULL)
        values[count++] = (struct broker_config_value){entry->name, entry->set, entry->set_source};
    if (entry->broker_name != NULL)
        count += broker_configs_values(entries->broker, entry->broker_name, values + count);
    else if (entry->standard != NULL)
        values[count++] =
            (struct broker_config_value){entry->name, entry->standard, CONFIG_SOURCE_DEFAULT};
    return add(entries, entry, values, count);
}

/* --- the broker's ---------------------------------------------------------------------------- */

/* The text as it is shown; that of nobody's config, or of a listener's, as it was set. */
static const char *
shown(struct request *request, const struct broker_config_row *row, const char *text)
{
    struct buf out;
    const char *value = text;

    buf_init(&out, CONFIG_DEF_BYTES_MAX);
    if (row != NULL && text != NULL && config_def_read(&row->def, text, &out, NULL) == RC_OK)
        value = arena_strdup(&request->arena, buf_text(&out));
    buf_fini(&out);
    return value;
}

static bool
broker_entry(struct config_entries *entries, const char *name, bool all)
{
    const struct broker_config_row *row = broker_configs_find(name);
    struct broker_config_value values[BROKER_CONFIG_VALUES_MAX];
    size_t count, kept = 0;
    struct config_entry entry = {.name = name, .type = broker_configs_type(name)};

    if (!is_asked(entries, name))
        return true;
    count = broker_configs_values(entries->broker, name, values);
    for (size_t i = 0; all && i < count; i++)
        if (values[i].source == CONFIG_SOURCE_ALL_BROKERS)
            values[kept++] = values[i];
    count = all ? kept : count;
    entry.value = count == 0 ? NULL : values[0].text;
    if (!all)
        entry.value = shown(entries->request, row, entry.value);
    /* What nobody knows cannot be changed, says Kafka, and changes it. */
    entry.read_only =
        entry.type == CONFIG_UNKNOWN || row == NULL || row->mode == BROKER_CONFIG_READ_ONLY;
    entry.help = row == NULL ? NULL : row->def.help;
    return add(entries, &entry, values, count);
}

static bool
all_brokers_entries(struct config_entries *entries)
{
    const char *name;
    bool ok = true;

    for (size_t position = 0; ok && resource_configs_each(&entries->broker->resource_configs,
                                        RESOURCE_BROKER, "", &position, &name) != NULL;)
        ok = broker_entry(entries, name, true);
    return ok;
}

/* What is set for a resource and stands in no table; once, where `but` has it, too. */
static bool
unknown_entries(struct config_entries *entries, const char *resource, const char *but)
{
    const struct resource_configs *kept = &entries->broker->resource_configs;
    const char *name;
    bool ok = true;

    for (size_t position = 0;
         ok && resource_configs_each(kept, RESOURCE_BROKER, resource, &position, &name) != NULL;)
        if (broker_configs_find(name) == NULL &&
            (but == NULL || resource_configs_get(kept, RESOURCE_BROKER, but, name) == NULL))
            ok = broker_entry(entries, name, false);
    return ok;
}

/* What was given at the start and stands in no table: configs of the listener. */
static bool
given_entries(struct config_entries *entries, const char *id)
{
    const struct resource_configs *kept = &entries->broker->resource_configs;
    const void *key;
    size_t size;
    bool ok = true;

    for (size_t position = 0;
         ok && map_next(&entries->broker->options.given, &position, &key, &size) != NULL;) {
        const char *name =
            arena_printf(&entries->request->arena, "%.*s", (int)size, (const char *)key);

        ok = name != NULL;
        if (ok && broker_configs_find(name) == NULL &&
            resource_configs_get(kept, RESOURCE_BROKER, id, name) == NULL &&
            resource_configs_get(kept, RESOURCE_BROKER, "", name) == NULL)
            ok = broker_entry(entries, name, false);
    }
    return ok;
}

static bool
is_shown(const struct broker *broker, const struct broker_config_row *row)
{
    struct broker_config_value values[BROKER_CONFIG_VALUES_MAX];

    return row->effect == BROKER_CONFIG_ACTS || row->effect == BROKER_CONFIG_KEPT ||
           ((row->effect == BROKER_CONFIG_EXTRA || row->effect == BROKER_CONFIG_TAKEN) &&
               broker_configs_values(broker, row->def.name, values) > 0);
}

bool
config_entries_of_broker(struct config_entries *entries, bool all)
{
    const struct broker *broker = entries->broker;
    const struct resource_configs *kept = &broker->resource_configs;
    size_t count;
    const struct broker_config_row *rows = broker_configs_rows(&count);
    char id[16];
    bool ok;

    snprintf(id, sizeof id, "%d", broker->options.node_id);
    ok = config_entries_begin(entries, count + resource_configs_count(kept, RESOURCE_BROKER, id) +
                                           resource_configs_count(kept, RESOURCE_BROKER, "") +
                                           map_count(&broker->options.given));
    if (ok && all)
        return all_brokers_entries(entries);
    for (size_t i = 0; ok && i < count; i++)
        if (is_shown(broker, &rows[i]))
            ok = broker_entry(entries, rows[i].def.name, false);
    return ok && unknown_entries(entries, id, NULL) && unknown_entries(entries, "", id) &&
           given_entries(entries, id);
}

/* kdl topic create|list|describe|delete: small, for scripts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/session.h"
#include "gen/messages.h"
#include "lib/base/jdoc.h"
#include "lib/base/xalloc.h"
#include "lib/wire/codec.h"
#include "lib/wire/kerr.h"

#define CONFIGS_MAX 64
#define TIMEOUT_MS 30000

static const char notes[] =
    "exit codes\n"
    "  0 done, 1 refused by the broker, 2 wrong use, 3 unreachable or authentication refused";

/* "CODE NAME: message" as one line to stderr; returns the exit code. */
static int
refused(const char *name, int16_t code, struct wire_string message)
{
    fprintf(stderr, "kdl: %s: %d %s", name, code, kerr_name(code));
    if (message.size > 0)
        fprintf(stderr, ": %.*s\n", message.size, message.data);
    else
        fprintf(stderr, ": %s\n", kerr_meaning(code));
    return EXIT_FAILED;
}

static const char *
the_name(const struct invocation *in)
{
    return in->options.word_count == 1 ? in->options.words[0] : NULL;
}

/* What was asked is one topic; an answer may hold any number. */
static enum rc
one_answer(enum rc rc, int32_t count, struct err *e)
{
    if (rc != RC_OK || count == 1)
        return rc;
    return err_set(
        e, RC_PROTOCOL, "the broker answers about %d topics where one was asked for", count);
}

/* --- create ------------------------------------------------------------------------------------
 */

static const struct option_row create_rows[] = {
    COMMAND_CLUSTER_OPTIONS,
    {"partitions", 'p', OPTION_INT, "N", NULL, 1, 100000, "how many (default: the broker's)"},
    {"replication-factor", 0, OPTION_INT, "N", NULL, 1, 1000, "copies (default: the broker's)"},
    {"config", 'c', OPTION_LIST, "NAME=VALUE", NULL, 0, 0, "one topic config"},
    {"if-not-exists", 0, OPTION_SWITCH, "", NULL, 0, 0, "a topic that is there already is fine"},
};

static enum rc
configs_read(const struct options *options,
    struct km_create_topics_request_creatable_topic_config *items, int32_t *count, struct err *e)
{
    const char *pair, *equals;
    size_t position = 0;

    *count = 0;
    while ((pair = options_list(options, "config", &position)) != NULL) {
        equals = strchr(pair, '=');
        if (equals == NULL || equals == pair)
            return err_set(e, RC_CONFIG, "--config wants NAME=VALUE, not %s.", pair);
        if (*count == CONFIGS_MAX)
            return err_set(e, RC_CONFIG, "too many --config.");
        items[(*count)++] = (struct km_create_topics_request_creatable_topic_config){
            {pair, (int32_t)(equals - pair)}, codec_string(equals + 1)};
    }
    return RC_OK;
}

static int
create_run(const struct invocation *in)
{
    struct km_create_topics_request_creatable_topic_config configs[CONFIGS_MAX];
    struct km_create_topics_request_creatable_topic topic;
    struct km_create_topics_request request;
    const struct km_create_topics_response *response;
    const struct km_create_topics_response_creatable_topic_result *result;
    const char *name = the_name(in);
    struct session *session;
    const void *reply = NULL;
    struct err e;
    int code = EXIT_OK;
    enum rc rc;

    codec_init(&km_create_topics_request_creatable_topic_desc, &topic);
    codec_init(&km_create_topics_request_desc, &request);
    if (name == NULL)
        return command_wrong_use(in->command, "one topic name is wanted.");
    if (configs_read(&in->options, configs, &topic.configs.count, &e) != RC_OK)
        return command_wrong_use(in->command, "%s", e.text);
    if (session_open(&in->options, &session, &e) != RC_OK)
        return command_fail(&e);
    topic.name = codec_string(name);
    topic.num_partitions = (int32_t)options_int(&in->options, "partitions", -1);
    topic.replication_factor = (int16_t)options_int(&in->options, "replication-factor", -1);
    topic.configs.items = configs;
    request.topics.items = &topic;
    request.topics.count = 1;
    request.timeout_ms = TIMEOUT_MS;
    rc = session_call(session, KM_CREATE_TOPICS, &request, &reply, &e);
    response = reply;
    if (one_answer(rc, rc == RC_OK ? response->topics.count : 0, &e) != RC_OK) {
        code = command_fail(&e);
    } else {
        result = &response->topics.items[0];
        if (result->error_code == KE_TOPIC_ALREADY_EXISTS &&
            options_is(&in->options, "if-not-exists"))
            printf("%s is there already\n", name);
        else if (result->error_code != KE_NONE)
            code = refused(name, result->error_code, result->error_message);
        else
            printf("created %s\n", name);
    }
    session_close(session);
    return code;
}

const struct command command_topic_create = {
    .name = "topic create",
    .arguments = "NAME",
    .summary = "make a topic",
    .rows = create_rows,
    .row_count = ARRAY_LEN(create_rows),
    .examples = "kdl topic create orders -b 127.0.0.1:9092 --partitions 12\n"
                "kdl topic create logs -b 127.0.0.1:9092 --config diskless.enable=true",
    .notes = notes,
    .run = create_run,
};

/* --- list and describe -------------------------------------------------------------------------
 */

static const struct option_row list_rows[] = {
    COMMAND_CLUSTER_OPTIONS,
    {"output", 'o', OPTION_WORD, "FORMAT", "text|json", 0, 0, "for people or for programs"},
};

static bool
wants_json(const struct invocation *in)
{
    return strcmp(options_text(&in->options, "output", "text"), "json") == 0;
}

static void
print_json(struct jdoc *doc)
{
    char *out = jdoc_dump(doc, 2);

    puts(out);
    free(out);
    jdoc_free(doc);
}

static int
by_name(const void *a, const void *b)
{
    const struct km_metadata_response_topic *const *x = a, *const *y = b;
    int32_t size = (*x)->name.size < (*y)->name.size ? (*x)->name.size : (*y)->name.size;
    int order = memcmp((*x)->name.data, (*y)->name.data, (size_t)size);

    return order != 0 ? order : (*x)->name.size - (*y)->name.size;
}

static void
topics_print(const struct km_metadata_response *metadata, bool json)
{
    const struct km_metadata_response_topic **sorted =
        xcalloc((size_t)metadata->topics.count, sizeof *sorted);
    struct jdoc *doc = jdoc_array();

    for (int32_t i = 0; i < metadata->topics.count; i++)
        sorted[i] = &metadata->topics.items[i];
    qsort(sorted, (size_t)metadata->topics.count, sizeof *sorted, by_name);
    for (int32_t i = 0; i < metadata->topics.count; i++) {
        struct jdoc *row = jdoc_object();

        if (!json)
            printf("%-48.*s %6d partitions%s\n", sorted[i]->name.size, sorted[i]->name.data,
                sorted[i]->partitions.count, sorted[i]->is_internal ? "  internal" : "");
        jdoc_set_take(
            row, "name", jdoc_text_sized(sorted[i]->name.data, (size_t)sorted[i]->name.size));
        jdoc_set_int(row, "partitions", sorted[i]->partitions.count);
        jdoc_set_bool(row, "internal", sorted[i]->is_internal);
        jdoc_add_take(doc, row);
    }
    free(sorted);
    if (json)
        print_json(doc);
    else
        jdoc_free(doc);
}

static int
list_run(const struct invocation *in)
{
    struct km_metadata_request request;
    struct session *session;
    const void *reply = NULL;
    struct err e;
    int code = EXIT_OK;

    if (in->options.word_count > 0)
        return command_wrong_use(in->command, "unexpected word %s.", in->options.words[0]);
    if (session_open(&in->options, &session, &e) != RC_OK)
        return command_fail(&e);
    codec_init(&km_metadata_request_desc, &request);
    request.topics.count = -1;
    request.allow_auto_topic_creation = false;
    if (session_call(session, KM_METADATA, &request, &reply, &e) == RC_OK)
        topics_print(reply, wants_json(in));
    else
        code = command_fail(&e);
    session_close(session);
    return code;
}

const struct command command_topic_list = {
    .name = "topic list",
    .arguments = "",
    .summary = "names and partition counts of all topics",
    .rows = list_rows,
    .row_count = ARRAY_LEN(list_rows),
    .examples = "kdl topic list -b 127.0.0.1:9092\nkdl topic list -b 127.0.0.1:9092 -o json",
    .notes = notes,
    .run = list_run,
};

static void
partitions_print(const struct km_metadata_response_topic *topic, struct jdoc *doc)
{
    struct jdoc *list = jdoc_array();

    for (int32_t i = 0; i < topic->partitions.count; i++) {
        const struct km_metadata_response_partition *p = &topic->partitions.items[i];
        struct jdoc *row = jdoc_object();

        jdoc_set_int(row, "partition", p->partition_index);
        jdoc_set_int(row, "leader", p->leader_id);
        jdoc_set_int(row, "leader_epoch", p->leader_epoch);
        jdoc_set_int(row, "replicas", p->replica_nodes.count);
        jdoc_set_int(row, "in_sync", p->isr_nodes.count);
        jdoc_add_take(list, row);
    }
    jdoc_set_take(doc, "partitions", list);
}

static void
configs_print(const struct km_describe_configs_response_result *result, struct jdoc *doc, bool json)
{
    struct jdoc *configs = jdoc_object();
    enum { SOURCE_TOPIC = 1 };

    for (int32_t i = 0; i < result->configs.count; i++) {
        const struct km_describe_configs_response_resource_result *config =
            &result->configs.items[i];
        char *name, *value;

        if (config->config_source != SOURCE_TOPIC)
            continue;
        name = xmemdup(config->name.data, (size_t)config->name.size);
        value = config->value.size < 0 ? xstrdup("")
                                       : xmemdup(config->value.data, (size_t)config->value.size);
        if (!json)
            printf("  config %s=%s\n", name, value);
        jdoc_set_text(configs, name, value);
        free(name);
        free(value);
    }
    jdoc_set_take(doc, "configs", configs);
}

static enum rc
configs_ask(struct session *session, const char *name, struct jdoc *doc, bool json, struct err *e)
{
    struct km_describe_configs_request_resource resource;
    struct km_describe_configs_request request;
    const struct km_describe_configs_response *response;
    const void *reply = NULL;
    enum rc rc;

    codec_init(&km_describe_configs_request_desc, &request);
    codec_init(&km_describe_configs_request_resource_desc, &resource);
    resource.resource_type = 2;
    resource.resource_name = codec_string(name);
    resource.configuration_keys.count = -1;
    request.resources.items = &resource;
    request.resources.count = 1;
    rc = session_call(session, KM_DESCRIBE_CONFIGS, &request, &reply, e);
    response = reply;
    rc = one_answer(rc, rc == RC_OK ? response->results.count : 0, e);
    if (rc != RC_OK)
        return rc;
    configs_print(&response->results.items[0], doc, json);
    return RC_OK;
}

static int
describe_one(const struct invocation *in, struct session *session, const char *name)
{
    struct km_metadata_request_topic ask;
    struct km_metadata_request request;
    const struct km_metadata_response *response;
    const struct km_metadata_response_topic *topic;
    struct jdoc *doc;
    const void *reply = NULL;
    struct err e;
    enum rc rc;

    codec_init(&km_metadata_request_desc, &request);
    codec_init(&km_metadata_request_topic_desc, &ask);
    ask.name = codec_string(name);
    request.topics.items = &ask;
    request.topics.count = 1;
    request.allow_auto_topic_creation = false;
    rc = session_call(session, KM_METADATA, &request, &reply, &e);
    response = reply;
    if (one_answer(rc, rc == RC_OK ? response->topics.count : 0, &e) != RC_OK)
        return command_fail(&e);
    topic = &response->topics.items[0];
    if (topic->error_code != KE_NONE)
        return refused(name, topic->error_code, codec_string(NULL));
    doc = jdoc_object();
    jdoc_set_text(doc, "name", name);
    partitions_print(topic, doc);
    if (!wants_json(in)) {
        printf("%s: %d partitions%s\n", name, topic->partitions.count,
            topic->is_internal ? ", internal" : "");
        for (int32_t i = 0; i < topic->partitions.count; i++)
            printf("  partition %d leader %d epoch %d, %d of %d copies in sync\n",
                topic->partitions.items[i].partition_index, topic->partitions.items[i].leader_id,
                topic->partitions.items[i].leader_epoch, topic->partitions.items[i].isr_nodes.count,
                topic->partitions.items[i].replica_nodes.count);
    }
    rc = configs_ask(session, name, doc, wants_json(in), &e);
    if (rc == RC_OK && wants_json(in))
        print_json(doc);
    else
        jdoc_free(doc);
    return rc == RC_OK ? EXIT_OK : command_fail(&e);
}

static int
describe_run(const struct invocation *in)
{
    const char *name = the_name(in);
    struct session *session;
    struct err e;
    int code;

    if (name == NULL)
        return command_wrong_use(in->command, "one topic name is wanted.");
    if (session_open(&in->options, &session, &e) != RC_OK)
        return command_fail(&e);
    code = describe_one(in, session, name);
    session_close(session);
    return code;
}

const struct command command_topic_describe = {
    .name = "topic describe",
    .arguments = "NAME",
    .summary = "partitions, leaders and configs of a topic",
    .rows = list_rows,
    .row_count = ARRAY_LEN(list_rows),
    .examples = "kdl topic describe orders -b 127.0.0.1:9092",
    .notes = notes,
    .run = describe_run,
};

/* --- delete ------------------------------------------------------------------------------------
 */

static const struct option_row delete_rows[] = {COMMAND_CLUSTER_OPTIONS};

static int
delete_run(const struct invocation *in)
{
    struct km_delete_topics_request_delete_topic_state state;
    const struct km_delete_topics_response *response;
    const struct km_delete_topics_response_deletable_topic_result *result;
    struct km_delete_topics_request request;
    const char *name = the_name(in);
    struct wire_string old_name = codec_string(name);
    struct session *session;
    const void *reply = NULL;
    struct err e;
    int code = EXIT_OK;
    enum rc rc;

    if (name == NULL)
        return command_wrong_use(in->command, "one topic name is wanted.");
    if (session_open(&in->options, &session, &e) != RC_OK)
        return command_fail(&e);
    codec_init(&km_delete_topics_request_desc, &request);
    codec_init(&km_delete_topics_request_delete_topic_state_desc, &state);
    state.name = codec_string(name);
    request.topics.items = &state;
    request.topics.count = 1;
    request.topic_names.items = &old_name;
    request.topic_names.count = 1;
    request.timeout_ms = TIMEOUT_MS;
    rc = session_call(session, KM_DELETE_TOPICS, &request, &reply, &e);
    response = reply;
    if (one_answer(rc, rc == RC_OK ? response->responses.count : 0, &e) != RC_OK) {
        code = command_fail(&e);
    } else {
        result = &response->responses.items[0];
        if (result->error_code != KE_NONE)
            code = refused(name, result->error_code, result->error_message);
        else
            printf("deleted %s\n", name);
    }
    session_close(session);
    return code;
}

const struct command command_topic_delete = {
    .name = "topic delete",
    .arguments = "NAME",
    .summary = "delete a topic",
    .rows = delete_rows,
    .row_count = ARRAY_LEN(delete_rows),
    .examples = "kdl topic delete orders -b 127.0.0.1:9092",
    .notes = notes,
    .run = delete_run,
};

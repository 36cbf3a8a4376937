/* kdl mirror save, kdl mirror load: topics in a file, and back into a refbroker. */
#include <stdio.h>

#include "cli/command.h"
#include "cli/session.h"
#include "cli/units.h"
#include "lib/base/xalloc.h"
#include "lib/kafka/cluster.h"
#include "mirror/load.h"
#include "mirror/save.h"

static const char notes[] = "exit codes\n"
                            "  0 fine, 1 no such topic, a damaged file, or a target that holds "
                            "something else, 2 wrong use,\n  3 unreachable or refused";

typedef enum rc work_fn(struct cluster *cluster, const struct invocation *in, struct err *e);

/* Opens the cluster that the flags name, works, and closes it. */
static int
with_cluster(const struct invocation *in, work_fn *work)
{
    const struct conf_client *client;
    struct cluster *cluster = NULL;
    struct loop *loop = NULL;
    struct conf *conf;
    struct err e;
    int code = EXIT_OK;

    if (in->options.word_count != 1)
        return command_wrong_use(in->command, "one file name is wanted.");
    if (session_conf(&in->options, &conf, &client, &e) != RC_OK)
        return command_refuse(in->command, &e);
    if (loop_new(&loop, &e) != RC_OK || cluster_new(loop, client, &cluster, &e) != RC_OK ||
        work(cluster, in, &e) != RC_OK)
        code = command_fail(&e);
    cluster_free(cluster);
    loop_free(loop);
    conf_free(conf);
    return code;
}

/* --- save --------------------------------------------------------------------------------------
 */

static const struct option_row save_rows[] = {
    COMMAND_CLUSTER_OPTIONS,
    {"topics", 't', OPTION_TEXT, "PATTERN,...", NULL, 0, 0,
        "topics by name or glob; !PATTERN takes some out again (default: all)"},
    {"groups", 0, OPTION_TEXT, "GROUP,...", NULL, 0, 0, "groups whose offsets go along"},
};

static enum rc
save(struct cluster *cluster, const struct invocation *in, struct err *e)
{
    struct save_wanted wanted = {.patterns = options_text(&in->options, "topics", "*"),
        .groups = options_text(&in->options, "groups", NULL),
        .path = in->options.words[0]};
    struct save_result result;
    char size[32];
    enum rc rc = save_cluster(cluster, &wanted, &result, e);

    if (rc != RC_OK)
        return rc;
    units_bytes(result.bytes, size);
    printf("saved %u topics, %u partitions, %u groups: %s in %s\n", result.topics,
        result.partitions, result.groups, size, wanted.path);
    return RC_OK;
}

static int
save_run(const struct invocation *in)
{
    return with_cluster(in, save);
}

const struct command command_mirror_save = {
    .name = "mirror save",
    .arguments = "FILE",
    .summary = "write topics, byte for byte, and groups' offsets into a file",
    .rows = save_rows,
    .row_count = ARRAY_LEN(save_rows),
    .examples =
        "kdl mirror save sample.kdl -b broker-1:9092 --topics 'orders,pay*' --groups billing",
    .notes = notes,
    .run = save_run,
};

/* --- load --------------------------------------------------------------------------------------
 */

static const struct option_row load_rows[] = {COMMAND_CLUSTER_OPTIONS};

static enum rc
load(struct cluster *cluster, const struct invocation *in, struct err *e)
{
    struct load_result result;
    char size[32];
    enum rc rc = load_recording(cluster, in->options.words[0], &result, e);

    if (rc != RC_OK)
        return rc;
    units_bytes(result.batch_bytes, size);
    printf("loaded %u topics, %s of batches, %u groups\n", result.topics, size, result.groups);
    return RC_OK;
}

static int
load_run(const struct invocation *in)
{
    return with_cluster(in, load);
}

const struct command command_mirror_load = {
    .name = "mirror load",
    .arguments = "FILE",
    .summary = "bring such a file into a refbroker, offsets kept",
    .rows = load_rows,
    .row_count = ARRAY_LEN(load_rows),
    .examples = "kdl mirror load sample.kdl -b 127.0.0.1:9092",
    .notes = notes,
    .run = load_run,
};

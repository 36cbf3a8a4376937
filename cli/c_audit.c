/* kdl audit: what a cluster's topics are, and which of them may go diskless. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "audit/audit.h"
#include "audit/probe.h"
#include "cli/audit_keep.h"
#include "cli/audit_output.h"
#include "cli/command.h"
#include "cli/session.h"
#include "lib/base/xalloc.h"

static const struct option_row rows[] = {
    COMMAND_CLUSTER_OPTIONS,
    {"topics", 't', OPTION_TEXT, "PATTERN,...", NULL, 0, 0,
        "which topics: shell patterns; one with ! before it takes out again (default: all)"},
    AUDIT_OUTPUT_OPTIONS,
    AUDIT_KEEP_OPTIONS,
    {"request-log", 0, OPTION_LIST, "FILE", NULL, 0, 0,
        "also learn clients and transactions from a broker's kafka-request.log; may be repeated"},
    {"metrics", 0, OPTION_LIST, "FILE", NULL, 0, 0,
        "also learn what is read, from a scrape of a broker's JMX exporter; may be repeated"},
    {"kcp-state", 0, OPTION_LIST, "FILE", NULL, 0, 0,
        "also learn clients from Confluent's kcp (kcp-state.json); may be repeated"},
    {"rate", 0, OPTION_INT, "SECONDS", NULL, 1, 86400,
        "look at the ends of the logs twice, so far apart, for what is written a second"},
    {"sample-bytes", 0, OPTION_INT, "N", NULL, 0, INT64_C(1) << 50,
        "how much of the stored batches to read, in all (default: 268435456)"},
    {"print-requests", 0, OPTION_SWITCH, "", NULL, 0, 0,
        "list the requests and fields that an audit may send, and send none"},
    {"quiet", 'q', OPTION_SWITCH, "", NULL, 0, 0, "no progress"},
};

static int
requests_print(void)
{
    size_t count;
    const struct probe_allowed *allowed = probe_allowed_rows(&count);

    for (size_t i = 0; i < count; i++)
        printf("%3d  %-22s  %s\n", allowed[i].key, allowed[i].name, allowed[i].fields);
    return EXIT_OK;
}

static void
progress(void *arg, const char *what)
{
    (void)arg;
    fprintf(stderr, "\r\033[Kasking for %s", what);
}

static void
keep_unfinished(void *arg, const struct audit_inventory *inventory)
{
    audit_keep_unfinished(arg, inventory);
}

/* The values of flags that may be repeated. */
enum { REQUEST_LOG, METRICS, KCP_STATE, FILE_FLAGS };
static const char *const file_flags[FILE_FLAGS] = {"request-log", "metrics", "kcp-state"};

struct files {
    const char *paths[FILE_FLAGS][OPTIONS_REPEAT_MAX + 1]; /* ends with NULL */
    struct audit_files all[FILE_FLAGS];
};

/* Looks for the files before the audit, which may take minutes. */
static enum rc
files_find(const struct options *options, struct files *files, struct err *e)
{
    for (int flag = 0; flag < FILE_FLAGS; flag++) {
        const char **paths = files->paths[flag];
        size_t position = 0, count = 0;

        for (; (paths[count] = options_list(options, file_flags[flag], &position)) != NULL; count++)
            if (access(paths[count], R_OK) != 0)
                return err_set_errno(
                    e, RC_CONFIG, errno, "--%s %s", file_flags[flag], paths[count]);
        files->all[flag] = (struct audit_files){paths, count};
    }
    return RC_OK;
}

/* Sets *begun where an audit before this one was ended. */
static enum rc
begun_find(const struct audit_keep *keep, const struct options *options,
    struct audit_inventory *begun, bool *found, struct err *e)
{
    uint32_t sampled = 0;
    enum rc rc = audit_keep_begun(keep, begun, e);

    *found = rc == RC_OK;
    if (rc != RC_OK)
        return rc == RC_NOTFOUND ? RC_OK : rc;
    for (uint32_t i = 0; i < begun->partition_count; i++)
        sampled += begun->partitions[i].is_sampled;
    if (!options_is(options, "quiet"))
        fprintf(stderr,
            "going on with %s: of %" PRIu32 " partitions nothing is read again; remove it to begin "
            "anew\n",
            keep->unfinished, sampled);
    return RC_OK;
}

static int
audit(struct cluster *cluster, struct audit_output *output, const struct options *options,
    struct audit_keep *keep, const struct files *files)
{
    bool is_begun, shows = isatty(STDERR_FILENO) != 0 && !options_is(options, "quiet");
    struct audit_options wanted = {.patterns = options_text(options, "topics", "*"),
        .sample_bytes = (uint64_t)options_int(options, "sample-bytes", (int64_t)AUDIT_SAMPLE_BYTES),
        .request_logs = files->all[REQUEST_LOG],
        .metrics = files->all[METRICS],
        .kcp_states = files->all[KCP_STATE],
        .rate_ms = options_int(options, "rate", 0) * 1000,
        .progress = shows ? progress : NULL,
        .keep = keep->unfinished == NULL ? NULL : keep_unfinished,
        .arg = keep};
    struct audit_inventory inventory, begun;
    struct err e;
    enum rc rc;
    int code;

    inventory_init(&inventory);
    inventory_init(&begun);
    rc = begun_find(keep, options, &begun, &is_begun, &e);
    wanted.begun = is_begun ? &begun : NULL;
    if (rc == RC_OK)
        rc = audit_run(cluster, &wanted, &inventory, &e);
    if (rc == RC_CONFLICT)
        rc = audit_keep_refuse(keep, &e);
    inventory_fini(&begun);
    if (shows)
        fputs("\r\033[K", stderr);
    code = rc == RC_OK ? audit_output_print(output, &inventory) : command_fail(&e);
    if (rc == RC_OK && (audit_keep_write(keep, &inventory, &e) != RC_OK ||
                           audit_keep_finished(keep, &e) != RC_OK))
        code = command_fail(&e);
    inventory_fini(&inventory);
    return code;
}

static int
run(const struct invocation *in)
{
    const struct conf_client *client;
    struct cluster *cluster = NULL;
    struct loop *loop = NULL;
    struct audit_output output;
    struct audit_keep keep = {.path = NULL};
    struct files files;
    struct conf *conf;
    struct err e;
    int code;

    if (in->options.word_count > 0)
        return command_wrong_use(in->command, "unexpected word %s.", in->options.words[0]);
    if (options_is(&in->options, "print-requests"))
        return requests_print();
    if (session_conf(&in->options, &conf, &client, &e) != RC_OK)
        return command_refuse(in->command, &e);
    if (audit_output_init(&output, &in->options, &e) != RC_OK ||
        audit_keep_init(&keep, &in->options, &e) != RC_OK ||
        files_find(&in->options, &files, &e) != RC_OK)
        code = command_refuse(in->command, &e);
    else if (loop_new(&loop, &e) == RC_OK && cluster_new(loop, client, &cluster, &e) == RC_OK)
        code = audit(cluster, &output, &in->options, &keep, &files);
    else
        code = command_fail(&e);
    audit_keep_fini(&keep);
    audit_output_fini(&output);
    cluster_free(cluster);
    loop_free(loop);
    conf_free(conf);
    return code;
}

const struct command command_audit = {
    .name = "audit",
    .arguments = "",
    .summary = "find out which topics may go diskless, and why others may not",
    .rows = rows,
    .row_count = ARRAY_LEN(rows),
    .examples = "kdl audit -b broker-1:9092\n"
                "kdl audit -b broker-1:9092 -o json --fail-on unknown\n"
                "kdl audit -b broker-1:9092 -o sarif > audit.sarif\n"
                "kdl audit -b broker-1:9092 --topics 'shop.*,!shop.test-*' --html audit.html",
    .notes = "Reads only: see --print-requests. What could not be seen is unknown, never "
             "no.\nWith --snapshot the same command goes on where an audit was "
             "killed. " AUDIT_OUTPUT_NOTES,
    .run = run,
};

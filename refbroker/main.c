/* refbroker: flags, folder, server. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/xalloc.h"
#include "refbroker/broker.h"
#include "refbroker/net/server.h"

#define LOCK_FILE "lock"

static const char usage[] =
    "refbroker: a reference diskless Kafka broker\n"
    "\n"
    "usage: refbroker [--data DIR] [--listen HOST:PORT] [--http HOST:PORT]\n"
    "\n"
    "  --data DIR          folder for everything that is kept (default: refbroker-data)\n"
    "  --listen HOST:PORT  where clients connect (default: 127.0.0.1:9092; port 0: any free one)\n"
    "  --advertise HOST    the name that clients are told (default: the one listened on)\n"
    "  --http HOST:PORT    serve /metrics (Prometheus) and /healthz here (default: off)\n"
    "  --set NAME=VALUE    a broker setting; --set help lists them\n"
    "  --verbose           log what happens to connections and requests\n"
    "  --version, --help\n"
    "\n"
    "Topics take the wal path, where a batch is durable in the write-ahead log before it is\n"
    "acknowledged, or, with the topic config diskless.enable=true, the coordinated path.\n"
    "\n"
    "examples:\n"
    "  refbroker --data /tmp/d --listen 127.0.0.1:9092\n"
    "  refbroker --data /tmp/d --http 127.0.0.1:8080 && curl http://127.0.0.1:8080/metrics\n";

struct settings {
    const char *data;
    char *data_path; /* absolute */
    char *listen_host;
    uint16_t listen_port;
    const char *advertise;
    char *http_host;
    uint16_t http_port;
    bool http;
    struct broker_options broker;
};

enum setting_kind {
    SETTING_INT,
    SETTING_BYTES,
    SETTING_BOOLEAN,
    SETTING_MS,
    SETTING_CHOICE,
    SETTING_LIST
};

struct setting_row {
    const char *name;
    enum setting_kind kind;
    size_t offset;
    int64_t min;
    int64_t max;
    const char *help;
    const char *choices; /* texts between commas; SETTING_CHOICE: for 0 and up, _LIST: for bits */
};

/* None, or the one that Kafka has. */
#define AUTHORIZERS ",org.apache.kafka.metadata.authorizer.StandardAuthorizer"

#define AT(member) offsetof(struct broker_options, member)

static const struct setting_row setting_rows[] = {
    {"node.id", SETTING_INT, AT(node_id), 0, INT32_MAX, "the broker's id", NULL},
    {"num.partitions", SETTING_INT, AT(num_partitions), 1, 10000,
        "partitions of topics that come into being by use", NULL},
    {"auto.create.topics.enable", SETTING_BOOLEAN, AT(auto_create_topics), 0, 1,
        "whether topics come into being by use", NULL},
    {"kdl.wal.file.bytes", SETTING_BYTES, AT(wal_file_bytes), 65536, INT64_C(1) << 31,
        "size of a file of the write-ahead log", NULL},
    {"kdl.upload.bytes", SETTING_BYTES, AT(upload_bytes), 4096, INT64_C(1) << 30,
        "bytes outside objects at which one is written", NULL},
    {"kdl.upload.interval.ms", SETTING_MS, AT(upload_interval_ms), 1, INT64_C(86400000),
        "age of the oldest bytes outside objects at which one is written", NULL},
    {"kdl.cache.bytes", SETTING_BYTES, AT(cache_bytes), 0, INT64_C(1) << 36,
        "budget of the log cache", NULL},
    {"authorizer.class.name", SETTING_CHOICE, AT(authorizer), 0, 1,
        "org.apache.kafka.metadata.authorizer.StandardAuthorizer: ACLs are kept and described, "
        "and keep nobody from anything",
        AUTHORIZERS},
    {"connections.max.idle.ms", SETTING_MS, AT(idle_ms), 100, INT64_C(86400000000),
        "how long a connection may be silent", NULL},
    {"transaction.max.timeout.ms", SETTING_MS, AT(txn_timeout_max_ms), 1, INT32_MAX,
        "the longest timeout that a transactional producer may ask for", NULL},
    {"transaction.abort.timed.out.transaction.cleanup.interval.ms", SETTING_MS,
        AT(txn_abort_interval_ms), 1, INT32_MAX,
        "how often transactions that last longer than their timeout are aborted", NULL},
    {"transactional.id.expiration.ms", SETTING_MS, AT(txn_id_expiration_ms), 1, INT32_MAX,
        "how long a transactional id that nobody uses is kept", NULL},
    {"transaction.remove.expired.transaction.cleanup.interval.ms", SETTING_MS,
        AT(txn_id_remove_interval_ms), 1, INT32_MAX, "how often such ids are removed", NULL},
    {"log.retention.check.interval.ms", SETTING_MS, AT(retention_check_ms), 1, INT64_C(86400000),
        "how often logs are looked at for what is too old or too much", NULL},
    {"log.initial.task.delay.ms", SETTING_MS, AT(initial_task_delay_ms), 0, INT64_C(86400000),
        "how long after the start logs are looked at for the first time", NULL},
    {"log.cleaner.enable", SETTING_BOOLEAN, AT(cleaner_enable), 0, 1,
        "whether compacted topics are compacted", NULL},
    {"log.cleaner.backoff.ms", SETTING_MS, AT(cleaner_backoff_ms), 0, INT64_C(86400000),
        "pause of the cleaner when nothing is due", NULL},
    {"log.cleaner.dedupe.buffer.size", SETTING_BYTES, AT(cleaner_dedupe_buffer_bytes), 1048576,
        INT64_C(1) << 36, "memory for keys; what does not fit is compacted in a further round",
        NULL},
    {"log.cleaner.io.max.bytes.per.second", SETTING_MS, AT(cleaner_io_bytes_per_s), 1, INT64_MAX,
        "how much the cleaner reads and writes", NULL},
    {"kdl.garbage.check.ms", SETTING_MS, AT(garbage_check_ms), 1, INT64_C(86400000),
        "how often objects that nothing uses are looked for", NULL},
    {"kdl.garbage.grace.ms", SETTING_MS, AT(garbage_grace_ms), 0, INT64_C(86400000),
        "how long such an object stays", NULL},
    {"kdl.commit.interval.ms", SETTING_MS, AT(commit_interval_ms), 1, 60000,
        "coordinated topics: how long a file collects batches", NULL},
    {"kdl.commit.bytes", SETTING_BYTES, AT(commit_bytes), 4096, INT64_C(1) << 30,
        "coordinated topics: size at which a file is closed earlier", NULL},
#define GROUP_SETTING(member, name, standard, lowest, highest, help)                               \
    {name, SETTING_MS, AT(groups.member), lowest, highest, help, NULL},
#include "refbroker/coord/group_settings.def"
#undef GROUP_SETTING
    {"group.consumer.migration.policy", SETTING_CHOICE, AT(groups.consumer_migration), 0, 3,
        "how groups may change between the classic and the consumer "
        "protocol: " GROUP_MIGRATION_TEXTS,
        GROUP_MIGRATION_TEXTS},
    {"group.coordinator.rebalance.protocols", SETTING_LIST, AT(groups.protocols), 0, 0,
        "protocols of groups that members may use, with commas: " GROUP_PROTOCOL_TEXTS,
        GROUP_PROTOCOL_TEXTS},
};

static int __attribute__((format(printf, 1, 2))) wrong_use(const char *format, ...)
{
    va_list ap;

    fputs("refbroker: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputs(" (refbroker --help)\n", stderr);
    return EXIT_USAGE;
}

static bool
number_parse(const char *text, int64_t min, int64_t max, int64_t *out)
{
    char *end;

    *out = strtoll(text, &end, 10);
    return end != text && *end == '\0' && *out >= min && *out <= max;
}

/* "HOST:PORT"; the host is allocated. */
static bool
address_parse(const char *text, char **host, uint16_t *port)
{
    const char *colon = strrchr(text, ':');
    int64_t number;

    if (colon == NULL || !number_parse(colon + 1, 0, 65535, &number))
        return false;
    free(*host);
    *host = xmemdup(text, (size_t)(colon - text));
    *port = (uint16_t)number;
    return true;
}

static void
settings_list(void)
{
    for (size_t i = 0; i < ARRAY_LEN(setting_rows); i++)
        printf("%-44s %s\n", setting_rows[i].name, setting_rows[i].help);
}

static void
setting_store(struct broker_options *options, const struct setting_row *row, int64_t value)
{
    char *at = (char *)options + row->offset;
    size_t size = (size_t)value;
    int32_t word = (int32_t)value;
    bool flag = value != 0;

    switch (row->kind) {
    case SETTING_INT:
        memcpy(at, &word, sizeof word);
        break;
    case SETTING_BYTES:
        memcpy(at, &size, sizeof size);
        break;
    case SETTING_MS:
    case SETTING_CHOICE:
    case SETTING_LIST:
        memcpy(at, &value, sizeof value);
        break;
    case SETTING_BOOLEAN:
        memcpy(at, &flag, sizeof flag);
        break;
    }
}

/* The place of a text of `size` bytes among choices, -1 where it is none. */
static int64_t
choice_find(const char *choices, const char *text, size_t size)
{
    for (int64_t i = 0; *choices != '\0'; i++) {
        size_t length = strcspn(choices, ",");

        if (length == size && strncasecmp(choices, text, size) == 0)
            return i;
        choices += length + (choices[length] == ',');
    }
    return -1;
}

/* The bits of texts between commas, -1 where one is no choice. */
static int64_t
list_parse(const char *choices, const char *text)
{
    int64_t bits = 0;

    for (;;) {
        size_t length = strcspn(text, ",");
        int64_t place = choice_find(choices, text, length);

        if (place < 0)
            return -1;
        bits |= INT64_C(1) << place;
        if (text[length] == '\0')
            return bits;
        text += length + 1;
    }
}

static int
setting_apply(struct settings *settings, const char *text)
{
    const char *equals = strchr(text, '=');
    int64_t value;

    if (equals == NULL)
        return wrong_use("--set wants NAME=VALUE, not %s", text);
    for (size_t i = 0; i < ARRAY_LEN(setting_rows); i++) {
        const struct setting_row *row = &setting_rows[i];

        if (strncmp(row->name, text, (size_t)(equals - text)) != 0 ||
            row->name[equals - text] != '\0')
            continue;
        if (row->kind == SETTING_BOOLEAN && strcmp(equals + 1, "true") == 0)
            value = 1;
        else if (row->kind == SETTING_BOOLEAN && strcmp(equals + 1, "false") == 0)
            value = 0;
        else if (row->kind == SETTING_CHOICE) {
            if ((value = choice_find(row->choices, equals + 1, strlen(equals + 1))) < 0)
                return wrong_use("%s wants one of %s, not %s", row->name, row->choices, equals + 1);
        } else if (row->kind == SETTING_LIST) {
            if ((value = list_parse(row->choices, equals + 1)) < 0)
                return wrong_use(
                    "%s wants some of %s, not %s", row->name, row->choices, equals + 1);
        } else if (!number_parse(equals + 1, row->min, row->max, &value))
            return wrong_use("%s wants a number from %" PRId64 " to %" PRId64 ", not %s", row->name,
                row->min, row->max, equals + 1);
        setting_store(&settings->broker, row, value);
        return EXIT_OK;
    }
    return wrong_use("unknown setting %.*s; --set help lists them", (int)(equals - text), text);
}

/* Returns -1 to go on, or the exit code. */
static int
flags_parse(int argc, char **argv, struct settings *s)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'},
        {"listen", required_argument, NULL, 'l'}, {"advertise", required_argument, NULL, 'a'},
        {"http", required_argument, NULL, 'm'}, {"set", required_argument, NULL, 's'},
        {"verbose", no_argument, NULL, 'v'}, {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int flag, rc;

    opterr = 0;
    while ((flag = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (flag) {
        case 'd':
            s->data = optarg;
            break;
        case 'l':
            if (!address_parse(optarg, &s->listen_host, &s->listen_port))
                return wrong_use("--listen wants HOST:PORT, not %s", optarg);
            break;
        case 'a':
            s->advertise = optarg;
            break;
        case 'm':
            if (!address_parse(optarg, &s->http_host, &s->http_port))
                return wrong_use("--http wants HOST:PORT, not %s", optarg);
            s->http = true;
            break;
        case 's':
            if (strcmp(optarg, "help") == 0) {
                settings_list();
                return EXIT_OK;
            }
            if ((rc = setting_apply(s, optarg)) != EXIT_OK)
                return rc;
            break;
        case 'v':
            log_set_level(LOG_DEBUG);
            break;
        case 'V':
            puts("refbroker " KDL_VERSION);
            return EXIT_OK;
        case 'h':
            fputs(usage, stdout);
            return EXIT_OK;
        default:
            return wrong_use("unknown flag or missing value: %s", argv[optind - 1]);
        }
    }
    return optind < argc ? wrong_use("unexpected word %s", argv[optind]) : -1;
}

/* One broker per folder: the lock goes with the process, the file tells people which one it is. */
static enum rc
folder_lock(struct disk *disk, const char *folder, struct disk_file **lock, struct err *e)
{
    char pid[32] = "";
    size_t got;
    enum rc rc = disk_open(disk, LOCK_FILE, DISK_WRITE | DISK_CREATE, lock, e);

    if (rc != RC_OK)
        return rc;
    rc = disk_lock(*lock, e);
    if (rc == RC_LOCKED) {
        if (disk_read(*lock, 0, pid, sizeof pid - 1, &got, e) != RC_OK)
            pid[0] = '\0';
        return err_set(e, RC_LOCKED,
            "folder %s is in use by another refbroker (pid %s). Stop it, or choose another --data.",
            folder, pid);
    }
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    if (rc == RC_OK)
        rc = disk_resize(*lock, 0, e);
    return rc == RC_OK ? disk_write(*lock, 0, pid, strlen(pid), e) : rc;
}

static enum rc
serve(struct settings *s, struct disk *disk, struct env *env, struct err *e)
{
    struct server_options listen = {
        s->listen_host, s->listen_port, s->http_host, s->http_port, s->http};
    struct server *server = NULL;
    struct broker *broker = NULL;
    enum rc rc = server_new(&listen, &server, e);

    if (rc != RC_OK)
        return rc;
    s->broker.disk = disk;
    s->broker.env = env;
    s->broker.work = server_work(server);
    s->broker.ports = server_ports();
    s->broker.port = server_port(server);
    s->broker.data_folder = s->data_path;
    s->broker.host = s->advertise != NULL ? s->advertise : s->listen_host;
    rc = broker_open(&s->broker, &broker, e);
    if (rc == RC_OK) {
        printf("refbroker %s ready: %s:%d", KDL_VERSION, s->broker.host, s->broker.port);
        if (s->http)
            printf(" http %s:%d", s->http_host, server_http_port(server));
        printf(" data %s\n", s->data);
        fflush(stdout);
        server_run(server, broker);
    }
    server_free(server);
    broker_close(broker);
    return rc;
}

int
main(int argc, char **argv)
{
    struct settings settings = {.data = "refbroker-data", .listen_port = 9092};
    struct disk_file *lock = NULL;
    struct disk *disk = NULL;
    struct env env;
    struct err e;
    enum rc rc;
    int code;

    signal(SIGPIPE, SIG_IGN);
    settings.listen_host = xstrdup("127.0.0.1");
    broker_options_default(&settings.broker);
    code = flags_parse(argc, argv, &settings);
    if (code < 0) {
        env_init_real(&env);
        rc = disk_open_real(settings.data, &disk, &e);
        if (rc == RC_OK && (settings.data_path = realpath(settings.data, NULL)) == NULL)
            rc = err_set_errno(&e, RC_IO, errno, "folder %s", settings.data);
        if (rc == RC_OK)
            rc = folder_lock(disk, settings.data, &lock, &e);
        if (rc == RC_OK)
            rc = serve(&settings, disk, &env, &e);
        if (rc != RC_OK)
            fprintf(stderr, "refbroker: %s\n", e.text);
        code = rc == RC_OK ? EXIT_OK : (int)err_exit_code(rc);
    }
    disk_close(lock);
    disk_free(disk);
    blob_trim();
    free(settings.data_path);
    free(settings.listen_host);
    free(settings.http_host);
    return code;
}

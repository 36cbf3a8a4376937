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
#include "lib/store/s3_url.h"
#include "refbroker/broker.h"
#include "refbroker/limits.h"
#include "refbroker/meta/broker_configs.h"
#include "refbroker/net/server.h"

#define LOCK_FILE "lock"

static const char usage[] =
    "refbroker: a reference diskless Kafka broker\n"
    "\n"
    "usage: refbroker [--data DIR] [--store s3://...] [--listen HOST:PORT] [--http HOST:PORT]\n"
    "\n"
    "  --data DIR          folder for everything that is kept (default: refbroker-data)\n"
    "  --store URL         objects in a bucket, not in that folder:\n"
    "                      s3://BUCKET[/PREFIX][?endpoint=URL][&region=NAME]\n"
    "                      [&payload=signed|unsigned], keys as for aws\n"
    "  --listen HOST:PORT  where clients connect (default: 127.0.0.1:9092; port 0: any free one)\n"
    "  --advertise HOST    the name that clients are told (default: the one listened on)\n"
    "  --http HOST:PORT    serve /metrics (Prometheus) and /healthz here (default: off)\n"
    "  --set NAME=VALUE    a broker setting; --set help lists them\n"
    "  --set @FILE         settings, one a line; for those that nobody is to see among processes\n"
    "  --verbose           log what happens to connections and requests\n"
    "  --version, --help\n"
    "\n"
    "Topics take the wal path, where a batch is durable in the write-ahead log before it is\n"
    "acknowledged, or, with the topic config diskless.enable=true, the coordinated path.\n"
    "\n"
    "examples:\n"
    "  refbroker --data /tmp/d --listen 127.0.0.1:9092\n"
    "  refbroker --data /tmp/d --http 127.0.0.1:8080 && curl http://127.0.0.1:8080/metrics\n"
    "  refbroker --data /tmp/d --store 's3://bucket/kafka?region=eu-central-1'\n";

struct settings {
    const char *data;
    char *data_path; /* absolute */
    struct s3_url store;
    char *listen_host;
    uint16_t listen_port;
    const char *advertise;
    char *http_host;
    uint16_t http_port;
    bool http;
    struct broker_options broker;
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
    size_t count;
    const struct broker_config_row *rows = broker_configs_rows(&count);

    for (size_t i = 0; i < count; i++)
        if (broker_configs_is_setting(&rows[i]))
            printf("%-44s %s\n", rows[i].def.name, rows[i].def.help);
}

static int
setting_apply(struct settings *settings, const char *text)
{
    const char *equals = strchr(text, '=');
    struct err e;
    char *name;
    enum rc rc;

    if (equals == NULL)
        return wrong_use("--set wants NAME=VALUE, not %s", text);
    name = xmemdup(text, (size_t)(equals - text));
    rc = broker_configs_give(&settings->broker, name, equals + 1, &e);
    free(name);
    return rc == RC_OK ? EXIT_OK : wrong_use("%s", e.text);
}

/* Settings as they stand in a server.properties: one a line, # begins a comment. */
static int
settings_load(struct settings *settings, const char *path)
{
    FILE *file = fopen(path, "re");
    size_t capacity = 0;
    char *line = NULL;
    int code = EXIT_OK;

    if (file == NULL)
        return wrong_use("--set @%s: %s", path, strerror(errno));
    while (code == EXIT_OK && getline(&line, &capacity, file) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[strspn(line, " \t")] == '\0' || *line == '#')
            continue;
        code = strchr(line, '=') == NULL ? wrong_use("--set @%s: a line is not NAME=VALUE", path)
                                         : setting_apply(settings, line);
    }
    free(line);
    (void)fclose(file);
    return code;
}

/* Returns -1 to go on, or the exit code. */
static int
flags_parse(int argc, char **argv, struct settings *s)
{
    static const struct option options[] = {{"data", required_argument, NULL, 'd'},
        {"store", required_argument, NULL, 'o'}, {"listen", required_argument, NULL, 'l'},
        {"advertise", required_argument, NULL, 'a'}, {"http", required_argument, NULL, 'm'},
        {"set", required_argument, NULL, 's'}, {"verbose", no_argument, NULL, 'v'},
        {"version", no_argument, NULL, 'V'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    struct err e;
    int flag, rc;

    opterr = 0;
    while ((flag = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        switch (flag) {
        case 'd':
            s->data = optarg;
            break;
        case 'o':
            if (s3_url_parse(optarg, &s->store, &e) != RC_OK)
                return wrong_use("--store: %s", e.text);
            s->broker.store = &s->store;
            s->broker.upload_object_bytes = LIMIT_BUCKET_OBJECT_BYTES;
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
            rc = *optarg == '@' ? settings_load(s, optarg + 1) : setting_apply(s, optarg);
            if (rc != EXIT_OK)
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
    if (optind < argc)
        return wrong_use("unexpected word %s", argv[optind]);
    return broker_configs_given(&s->broker, &e) == RC_OK ? -1 : wrong_use("%s", e.text);
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
        printf(" data %s", s->data);
        if (s->broker.store != NULL)
            printf(" store s3://%s/%s", s->store.bucket, s->store.prefix);
        putchar('\n');
        fflush(stdout);
        server_run(server, broker);
        if (broker_damage(broker) != NULL) {
            *e = *broker_damage(broker);
            rc = e->code;
        }
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
    settings.broker.upload_object_bytes = LIMIT_FOLDER_OBJECT_BYTES;
    /* There is always one in a server.properties. */
    code = setting_apply(&settings, "node.id=1");
    REQUIRE(code == EXIT_OK);
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
    broker_options_fini(&settings.broker);
    free(settings.data_path);
    free(settings.listen_host);
    free(settings.http_host);
    return code;
}

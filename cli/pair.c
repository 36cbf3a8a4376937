#include "cli/pair.h"

#include <string.h>
#include <unistd.h>

#include "lib/base/xalloc.h"

/* The flags of one side; messages call them by their names. */
struct side_flags {
    const char *address;
    const char *config;
    const char *property;
    struct conf_names names;
};

static enum rc
side_open(const struct options *options, const struct side_flags *flags, struct loop *loop,
    struct pair_side *side, struct err *e)
{
    const char *address = options_text(options, flags->address, NULL);
    const char *text;
    size_t position = 0;
    enum rc rc;

    side->conf = conf_new_named(&flags->names);
    rc = conf_load_env(side->conf, environ, e);
    while (rc == RC_OK && (text = options_list(options, flags->config, &position)) != NULL)
        rc = conf_load_file(side->conf, text, e);
    position = 0;
    while (rc == RC_OK && (text = options_list(options, flags->property, &position)) != NULL)
        rc = conf_set(side->conf, text, e);
    if (rc == RC_OK && address != NULL)
        rc = conf_set_pair(side->conf, "bootstrap.servers", address, flags->names.server_flag, e);
    if (rc == RC_OK)
        rc = conf_finish(side->conf, &side->client, e);
    if (rc == RC_OK)
        rc = cluster_new(loop, side->client, &side->cluster, e);
    return rc;
}

enum rc
pair_open_sides(const struct options *options, struct pair *pair, struct err *e)
{
    static const struct side_flags from = {
        "from", "from-config", "from-property", {"--from", "--from-property", "KDL_FROM_"}};
    static const struct side_flags to = {
        "to", "to-config", "to-property", {"--to", "--to-property", "KDL_TO_"}};
    enum rc rc;

    memset(pair, 0, sizeof *pair);
    rc = loop_new(&pair->loop, e);
    if (rc == RC_OK)
        rc = side_open(options, &from, pair->loop, &pair->from, e);
    if (rc == RC_OK)
        rc = side_open(options, &to, pair->loop, &pair->to, e);
    if (rc != RC_OK)
        pair_close(pair);
    return rc;
}

enum rc
pair_open(const struct options *options, struct pair *pair, struct err *e)
{
    const char *topics = options_text(options, "topics", NULL);
    enum rc rc;

    if (topics == NULL)
        return err_set(e, RC_CONFIG, "--topics PATTERN is wanted.");
    rc = pair_open_sides(options, pair, e);
    pair->topics = topics;
    return rc;
}

void
pair_close(struct pair *pair)
{
    cluster_free(pair->from.cluster);
    cluster_free(pair->to.cluster);
    conf_free(pair->from.conf);
    conf_free(pair->to.conf);
    loop_free(pair->loop);
    memset(pair, 0, sizeof *pair);
}

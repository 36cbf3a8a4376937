/*
 * pair: the two clusters of a mirror or a verification: --from, --from-config, --from-property and
 * the environment's KDL_FROM_... (KDL_FROM_PASSWORD and so on, see conf_load_env) for the source,
 * the same with "to" for the target. Flags beat files, and files the environment; any of them may
 * give the address.
 */
#ifndef CLI_PAIR_H
#define CLI_PAIR_H

#include "cli/command.h"
#include "lib/kafka/cluster.h"

#define PAIR_SIDES_OPTIONS                                                                         \
    {"from", 0, OPTION_TEXT, "HOST:PORT,...", NULL, 0, 0, "brokers of the source"},                \
        {"from-config", 0, OPTION_LIST, "FILE", NULL, 0, 0,                                        \
            "client properties for the source; a password may be in KDL_FROM_PASSWORD"},           \
        {"from-property", 0, OPTION_LIST, "NAME=VALUE", NULL, 0, 0, "one of them"},                \
        {"to", 0, OPTION_TEXT, "HOST:PORT,...", NULL, 0, 0, "brokers of the target"},              \
        {"to-config", 0, OPTION_LIST, "FILE", NULL, 0, 0,                                          \
            "client properties for the target; a password may be in KDL_TO_PASSWORD"},             \
    {                                                                                              \
        "to-property", 0, OPTION_LIST, "NAME=VALUE", NULL, 0, 0, "one of them"                     \
    }

#define PAIR_OPTIONS                                                                               \
    PAIR_SIDES_OPTIONS,                                                                            \
    {                                                                                              \
        "topics", 't', OPTION_TEXT, "PATTERN,...", NULL, 0, 0,                                     \
            "topics by name or glob; !PATTERN takes some out again"                                \
    }

struct pair_side {
    struct conf *conf;
    const struct conf_client *client;
    struct cluster *cluster;
};

struct pair {
    struct loop *loop;
    struct pair_side from;
    struct pair_side to;
    const char *topics;
};

/* pair_open reads the flags PAIR_OPTIONS, pair_open_sides PAIR_SIDES_OPTIONS; nothing is connected
 * yet. */
MUST_CHECK enum rc pair_open(const struct options *options, struct pair *pair, struct err *e);
MUST_CHECK enum rc pair_open_sides(const struct options *options, struct pair *pair, struct err *e);
void pair_close(struct pair *pair);

#endif

/*
 * client_probe: connects to a cluster as kdl does, asks for its metadata, and says what it saw.
 *
 *   client_probe [-F FILE] [-X NAME=VALUE]... [-b HOST:PORT,...]
 *
 * Prints `ok brokers=N` on stdout, or one line on stderr, and exits as kdl would.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gen/messages.h"
#include "lib/kafka/conf.h"
#include "lib/kafka/conn.h"
#include "lib/wire/codec.h"
#include "lib/wire/frame.h"

extern char **environ;

struct probe {
    struct loop *loop;
    struct conn_setup setup;
    struct conn *conn;
    struct km_metadata_request request;
    struct err err;
};

static enum rc
options_read(struct conf *conf, int argc, char **argv, struct err *e)
{
    enum rc rc = conf_load_env(conf, environ, e);
    int option;

    while (rc == RC_OK && (option = getopt(argc, argv, "b:F:X:")) != -1) {
        if (option == 'b')
            rc = conf_set_pair(conf, "bootstrap.servers", optarg, "-b", e);
        else if (option == 'F')
            rc = conf_load_file(conf, optarg, e);
        else if (option == 'X')
            rc = conf_set(conf, optarg, e);
        else
            rc =
                err_set(e, RC_CONFIG, "usage: client_probe [-F FILE] [-X NAME=VALUE] [-b ADDRESS]");
    }
    return rc;
}

static void
on_metadata(void *arg, struct conn_reply *reply, const struct err *e)
{
    struct probe *probe = arg;

    probe->err = *e;
    if (e->code == RC_OK) {
        const struct km_metadata_response *response = reply->response;

        printf("ok brokers=%d\n", response->brokers.count);
    }
    loop_stop(probe->loop);
}

static void
on_closed(void *arg, const struct err *e)
{
    struct probe *probe = arg;

    probe->err = *e;
    loop_stop(probe->loop);
}

static enum rc
probe_run(struct probe *probe, const struct conf_client *client, struct err *e)
{
    static const struct conn_events events = {NULL, on_closed};
    struct conn_request request = {
        .api = frame_api(KM_METADATA), .body = &probe->request, .done = on_metadata, .arg = probe};
    enum rc rc = loop_new(&probe->loop, e);

    if (rc != RC_OK)
        return rc;
    rc = conn_setup_init(&probe->setup, probe->loop, client, e);
    if (rc == RC_OK) {
        codec_init(&km_metadata_request_desc, &probe->request);
        request.deadline_us = loop_now_us(probe->loop) + client->request_timeout_ms * 1000;
        probe->conn = conn_open(
            &probe->setup, client->servers[0].host, client->servers[0].port, &events, probe);
        conn_call(probe->conn, &request);
        loop_run(probe->loop);
        *e = probe->err;
        rc = e->code;
        conn_free(probe->conn);
    }
    conn_setup_fini(&probe->setup);
    loop_free(probe->loop);
    return rc;
}

int
main(int argc, char **argv)
{
    const struct conf_client *client;
    struct conf *conf = conf_new();
    struct probe probe = {.loop = NULL};
    struct err e = {.code = RC_OK};
    enum rc rc = options_read(conf, argc, argv, &e);

    if (rc == RC_OK)
        rc = conf_finish(conf, &client, &e);
    if (rc == RC_OK)
        rc = probe_run(&probe, client, &e);
    if (rc != RC_OK)
        fprintf(stderr, "client_probe: %s\n", e.text);
    conf_free(conf);
    return (int)err_exit_code(rc);
}

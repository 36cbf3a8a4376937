/*
 * proxy: stands in front of a real broker and lies for it, by one rule at a time.
 *
 * A check is worth something once it has failed: the proxy passes requests and answers through,
 * decoded, and a mutant (mutants.h) or a null broker changes some of them. What a check prepares
 * (client id "kc-setup") is never touched, so that it is the rule which fails and not the
 * preparation. Addresses in answers become the proxy's own.
 *
 * One broker behind it, plain TCP, one thread. For tests: it trusts the broker, not the client.
 */
#ifndef CONFORMANCE_PROXY_H
#define CONFORMANCE_PROXY_H

#include <stdbool.h>
#include <stdint.h>

#include "gen/messages.h"
#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/list.h"

#define PROXY_HOST "127.0.0.1" /* where it listens */

struct proxy;
struct proxy_client;

enum proxy_action {
    PROXY_FORWARD,
    PROXY_SWALLOW, /* neither forwarded nor answered */
    PROXY_TWICE,   /* forwarded twice, answered once */
    PROXY_CLOSE,   /* closes the client's connection */
    PROXY_HOLD,    /* of an answer: sent behind the next one */
    PROXY_ANSWER,  /* the request is not forwarded; `frame` is the answer */
};

/* One request and its answer on their way. */
struct proxy_call {
    struct list_node node;
    struct proxy_client *client;
    const struct wire_api *api; /* NULL: unknown */
    int16_t api_key;
    int16_t version; /* of the answer, for decoding: 0 where ApiVersions has a future one */
    int16_t asked_version;
    int32_t correlation_id;
    bool is_setup;
    bool is_unanswered;
    bool is_discarded; /* its answer is thrown away */
    bool is_changed;   /* set by whoever changes request or response */
    enum proxy_action action;
    struct arena arena;
    void *request; /* the structs, views into the bytes; NULL where they could not be decoded */
    void *response;
    struct buf asked; /* the request, with its length in front */
    struct buf frame; /* the answer, likewise */
};

/* What changes things. Each is called with calls that are no preparation; any may be NULL. */
typedef void proxy_fn(struct proxy *proxy, struct proxy_call *call);

struct proxy_rule {
    proxy_fn *on_request;  /* the request is decoded, if that is possible */
    proxy_fn *on_response; /* the response is decoded */
    proxy_fn *on_frame;    /* the answer as bytes, with its length in front */
    bool keeps_garbage;    /* bytes that are no frame are swallowed */
    const char *greeting;  /* sent in answer to bytes that are no frame */
};

/* A rule's memory between calls. */
#define PROXY_NOTES 8

struct proxy {
    const struct proxy_rule *rule;
    const char *host; /* of the broker */
    uint16_t port;
    uint16_t own_port;
    int64_t notes[PROXY_NOTES];
    struct loop *loop;
    struct listener *listener;
    struct list clients;
};

/* proxy_run listens on a free port of 127.0.0.1, tells it through ready_fd (2 bytes) and serves
 * until the process ends. */
MUST_CHECK enum rc proxy_run(
    const struct proxy_rule *rule, const char *host, uint16_t port, int ready_fd, struct err *e);

#endif

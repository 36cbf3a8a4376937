/*
 * request: one request of one connection, from its frame to its reply.
 *
 * The broker owns it from broker_frame until the reply's last byte is sent. A handler gets `in`
 * (decoded, defaults filled) and `out` (initialised), both in the request's arena, and returns what
 * became of it. A handler that has to wait parks: it sets `on_drop` (called when connection or
 * broker goes away first; it takes the request out of whatever it waits in) and, if it likes, a
 * deadline; then exactly one request_finish follows.
 *
 * Bytes of the log that a reply points to are kept by request_hold until the reply is sent.
 */
#ifndef REFBROKER_REQUEST_H
#define REFBROKER_REQUEST_H

#include "lib/base/arena.h"
#include "lib/base/blob.h"
#include "lib/base/buf.h"
#include "lib/base/heap.h"
#include "lib/base/list.h"
#include "lib/wire/frame.h"

struct broker;
struct client;
struct request;

enum h_result {
    H_DONE,     /* out is the answer */
    H_PARK,     /* request_finish follows */
    H_NO_REPLY, /* acks=0 */
    H_CLOSE,    /* the connection is to be closed, as Kafka does */
    H_LAST,     /* out is the answer, and then it is to be closed */
};

typedef enum h_result h_fn(
    struct broker *broker, struct request *request, const void *in, void *out);
typedef void request_fn(struct broker *broker, struct request *request);

enum request_state { REQUEST_WAITING, REQUEST_RUNNING, REQUEST_FINISHED };

struct request {
    struct list_node in_client;
    struct client *client; /* NULL once the connection is gone */
    struct blob *frame;
    struct frame_request header;
    struct arena arena;
    void *in;
    void *out;
    enum request_state state;
    bool parked;
    bool no_reply;
    bool is_last; /* the connection is closed behind its answer */
    int64_t arrived_us;
    int64_t handled_us;  /* that its handler worked when it started */
    int64_t throttle_ms; /* that its client is to wait after the answer */
    struct heap_node deadline;
    request_fn *on_deadline;
    request_fn *on_drop;
    void *park; /* the handler's own, in the arena */
    struct buf head;
    struct wire_fragment *pieces; /* where a handler has set them, they are the whole answer */
    size_t piece_count;
    struct blob **held;
    size_t held_count;
    size_t held_capacity;
};

struct request *request_new(struct client *client, struct blob *frame_take, int64_t now_us);
void request_free(struct request *request);

/* request_hold keeps a blob until the reply is sent. */
void request_hold(struct request *request, struct blob *blob);

/* request_unhold gives back what was held, of an answer that is made anew. */
void request_unhold(struct request *request);

/* request_answer_member returns the member of this name at the top of the answer, NULL where its
 * version has none. */
void *request_answer_member(const struct request *request, const char *name);

/* request_text puts a C string into a message; the text must live as long as the request.
 * request_text_dup copies it into the arena. NULL is null. */
struct wire_string request_text(const char *text);
struct wire_string request_text_dup(struct request *request, const char *text);

/* request_is_text compares a string of a message with a C string. */
bool request_is_text(struct wire_string string, const char *text);

/* request_is_plain tells whether a string holds no zero byte. Ids are C strings inside, so others
 * are refused, which Kafka takes. */
bool request_is_plain(struct wire_string string);

#endif

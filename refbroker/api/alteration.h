/*
 * alteration: a change of the metadata that a request waits for.
 *
 * A handler reads its request into a struct of its own that begins with a struct alteration. The
 * catalog writes all of it or nothing, on its own thread; then the broker's memory follows; then
 * the request is answered. A client that goes away meanwhile stops none of that.
 *
 * An alteration owns what it needs beyond the request's life. It belongs to its handler until
 * alteration_end.
 */
#ifndef REFBROKER_API_ALTERATION_H
#define REFBROKER_API_ALTERATION_H

#include "refbroker/broker.h"

struct alteration;

struct alteration_kind {
    /* Inside a transaction of the catalog, on its thread. */
    enum rc (*write)(struct catalog *catalog, const struct alteration *alteration, struct err *e);
    /* On the broker's thread, when that is durable. */
    enum rc (*take_effect)(const struct alteration *alteration, struct err *e);
    /* Says on the log why not, whether or not somebody still waits. */
    void (*complain)(const struct err *e);
    /* Puts KE_KAFKA_STORAGE_ERROR where the answer has success. */
    void (*fail)(const struct alteration *alteration, void *out);
    void (*free)(struct alteration *alteration);
};

struct alteration {
    struct catalog_job job;
    const struct alteration_kind *kind;
    struct broker *broker;
    struct request *request; /* NULL once it is gone */
};

/* alteration_init begins one that changes nothing yet. */
void alteration_init(struct alteration *alteration, const struct alteration_kind *kind,
    struct broker *broker, struct request *request);

/* alteration_end has it written where it changes something, and frees it. What the handler returns:
 * H_PARK, H_DONE where nothing is to be written, H_CLOSE where the request's memory is full. */
enum h_result alteration_end(struct alteration *take, bool has_changes);

#endif

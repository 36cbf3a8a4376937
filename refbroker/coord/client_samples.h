/*
 * client_samples: the last values of what clients pushed (KIP-714), for /metrics (Prometheus).
 *
 * A metric a.b of a client is shown as client_a_b, which no metric of the broker can be called,
 * with the client's id, instance id and software, its attributes and the point's as labels. What
 * counts since the last push is added up; the rest is as it was pushed last. All values of a client
 * go with it (client_samples_drop).
 *
 * Hostile input: names become what Prometheus allows, texts valid UTF-8 without controls, and both
 * are cut. Limits: CLIENT_SAMPLES_MAX values, CLIENT_SAMPLES_BYTES_MAX of their texts; a name has
 * one type, that with which it came first. A line is made when its value comes, and a scrape
 * copies. Owned by the broker; client_samples_name may be called on any thread.
 */
#ifndef REFBROKER_COORD_CLIENT_SAMPLES_H
#define REFBROKER_COORD_CLIENT_SAMPLES_H

#include "lib/base/buf.h"
#include "lib/base/map.h"
#include "refbroker/coord/client_match.h"
#include "refbroker/coord/otlp.h"

#define CLIENT_SAMPLES_MAX 20000
#define CLIENT_SAMPLES_BYTES_MAX ((size_t)8 * 1024 * 1024)

struct client_samples {
    struct map families; /* name -> struct family */
    size_t count;
    size_t bytes;
};

/* The values of one client. Zeroed is empty. */
struct client_samples_owner {
    struct map by_text; /* name{labels} -> struct sample */
};

#define CLIENT_SAMPLES_NUMBER_BYTES 32

/* A value on its way. */
struct client_sample {
    const char *text; /* name{labels}, in an arena */
    size_t name_size;
    double value;
    char number[CLIENT_SAMPLES_NUMBER_BYTES]; /* the value as it is shown */
    bool counter;
    bool adds;
};

void client_samples_init(struct client_samples *samples);
void client_samples_fini(struct client_samples *samples);

/* client_samples_name makes name and labels of a point; false where nothing is left of its name, or
 * the arena is full. */
bool client_samples_name(const struct otlp_point *point, const struct client_traits *traits,
    struct arena *arena, struct client_sample *out);

/* client_samples_put keeps a value of a client; false at a limit. */
bool client_samples_put(struct client_samples *samples, struct client_samples_owner *owner,
    const struct client_sample *sample);

/* client_samples_drop forgets all values of a client. */
void client_samples_drop(struct client_samples *samples, struct client_samples_owner *owner);

/* client_samples_write appends all in Prometheus' text format. */
void client_samples_write(const struct client_samples *samples, struct buf *out);

#endif

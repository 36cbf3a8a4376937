/*
 * client_match: which clients a subscription to metrics is for (KIP-714): its config `match`.
 *
 * PROPERTY=PATTERN, with commas between several. All of them have to fit, each pattern the whole
 * value (ClientMetricsConfigs.java, ClientMetricsInstanceMetadata.java); of one property that comes
 * twice the last pattern counts; nothing at all fits everybody. Patterns are RE2's. Immutable.
 */
#ifndef REFBROKER_COORD_CLIENT_MATCH_H
#define REFBROKER_COORD_CLIENT_MATCH_H

#include <stdbool.h>
#include <stddef.h>

enum client_trait {
#define CLIENT_TRAIT(trait, name) CLIENT_TRAIT_##trait,
#include "refbroker/coord/client_traits.def"
#undef CLIENT_TRAIT
    CLIENT_TRAIT_COUNT
};

/* What is known of a client; NULL where it is not, which fits no pattern. */
struct client_traits {
    const char *values[CLIENT_TRAIT_COUNT];
};

struct client_match;

/* client_match_new reads the config; NULL where a word of it is none, which *bad and *bad_size then
 * tell, a view into text. */
struct client_match *client_match_new(const char *text, const char **bad, size_t *bad_size);
void client_match_free(struct client_match *match);

bool client_match_fits(const struct client_match *match, const struct client_traits *traits);

/* client_match_trait_name returns the property's name, as it stands in the config. */
const char *client_match_trait_name(enum client_trait trait);

#endif

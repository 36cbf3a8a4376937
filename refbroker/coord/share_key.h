/*
 * share_key: the key by which a share group's partition is looked for: GROUP:TOPIC-ID:PARTITION.
 * Its hash tells the partition of __share_group_state.
 *
 * Rules: SharePartitionKey, Uuid of Kafka 4.3.
 */
#ifndef REFBROKER_COORD_SHARE_KEY_H
#define REFBROKER_COORD_SHARE_KEY_H

#include "refbroker/coord/share_state.h"

/* share_key_text is the key's text, which the caller frees. */
char *share_key_text(const struct share_key *key);

/* share_key_is_text tells whether a text is such a key, read from its end, since groups may have
 * colons, too. */
bool share_key_is_text(struct wire_string text);

#endif

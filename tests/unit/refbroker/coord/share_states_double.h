/*
 * share_states_double: a stand-in for the share coordinator, which keeps states in memory, notes
 * what it was asked, and answers as the test says. There is one, whatever handle it is given; it is
 * linked in place of share_states.c.
 */
#ifndef TESTS_UNIT_REFBROKER_COORD_SHARE_STATES_DOUBLE_H
#define TESTS_UNIT_REFBROKER_COORD_SHARE_STATES_DOUBLE_H

#include "refbroker/coord/share_states.h"

struct share_states_double {
    size_t initialized; /* calls that were made */
    size_t deleted;
    int16_t refusal; /* what calls are refused with; 0: they are taken */
    int16_t failure; /* what becomes of those that are taken */
    bool absent;     /* the topic is not there */
    bool holding;    /* calls that are taken end with share_states_double_release */
};

extern struct share_states_double share_states_double;

/* share_states_double_reset forgets everything. */
void share_states_double_reset(void);

/* share_states_double_release ends the calls that are held. */
void share_states_double_release(struct broker *broker);

/* share_states_double_put sets a state, as a leader would have left it. */
void share_states_double_put(const char *group_id, const struct wire_uuid *topic_id,
    int32_t partition, const struct share_state *state);

#endif

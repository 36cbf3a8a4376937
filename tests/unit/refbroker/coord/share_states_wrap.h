/*
 * share_states_wrap: the share coordinator, whose calls a test counts, refuses, holds back or lets
 * fail. The real one is behind it.
 *
 * For one source of a test program that is linked with WRAP_SHARE_STATES (Makefile): whatever calls
 * the coordinator comes through here. A test that turns a switch ends with share_states_wrap_reset.
 */
#ifndef TESTS_UNIT_REFBROKER_COORD_SHARE_STATES_WRAP_H
#define TESTS_UNIT_REFBROKER_COORD_SHARE_STATES_WRAP_H

#include <string.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"
#include "refbroker/coord/share_states.h"

#define SHARE_STATES_WRAP_HELD_MAX 4096

/* The linker makes the names. NOLINTBEGIN(bugprone-reserved-identifier) */
bool __real_share_states_ready(struct share_states *states);
int16_t __real_share_states_initialize(struct share_states *states, const struct share_key *key,
    int32_t state_epoch, int64_t start_offset, struct append_waiter *waiter, struct err *e);
int16_t __real_share_states_delete(struct share_states *states, const struct share_key *key,
    struct append_waiter *waiter, struct err *e);
bool __wrap_share_states_ready(struct share_states *states);
int16_t __wrap_share_states_initialize(struct share_states *states, const struct share_key *key,
    int32_t state_epoch, int64_t start_offset, struct append_waiter *waiter, struct err *e);
int16_t __wrap_share_states_delete(struct share_states *states, const struct share_key *key,
    struct append_waiter *waiter, struct err *e);

/* A call that is held back. */
struct share_states_wrap_call {
    struct share_states *states;
    char *group_id;
    struct share_key key;
    bool deletes;
    int32_t state_epoch;
    int64_t start_offset;
    struct append_waiter *waiter;
};

struct share_states_wrap {
    size_t initialized; /* calls */
    size_t deleted;
    int16_t refusal; /* what calls are refused with; 0: they are taken */
    int16_t failure; /* what becomes of those that are taken, and not done; 0: they are done */
    bool absent;     /* the topic is not there */
    bool holding;    /* calls are done with share_states_wrap_release */
    struct share_states_wrap_call held[SHARE_STATES_WRAP_HELD_MAX];
    size_t held_count;
};

static struct share_states_wrap share_states_wrap;

static inline void
share_states_wrap_reset(void)
{
    for (size_t i = 0; i < share_states_wrap.held_count; i++)
        free(share_states_wrap.held[i].group_id);
    memset(&share_states_wrap, 0, sizeof share_states_wrap);
}

static inline int16_t
share_states_wrap_do(const struct share_states_wrap_call *call, struct err *e)
{
    if (share_states_wrap.failure != KE_NONE) {
        call->waiter->done(NULL, call->waiter, share_states_wrap.failure);
        return KE_NONE;
    }
    return call->deletes ? __real_share_states_delete(call->states, &call->key, call->waiter, e)
                         : __real_share_states_initialize(call->states, &call->key,
                               call->state_epoch, call->start_offset, call->waiter, e);
}

static inline int16_t
share_states_wrap_take(struct share_states_wrap_call *call, struct err *e)
{
    if (share_states_wrap.refusal != KE_NONE) {
        (void)err_set(e, RC_CONFIG, "refused");
        return share_states_wrap.refusal;
    }
    if (!share_states_wrap.holding || share_states_wrap.held_count == SHARE_STATES_WRAP_HELD_MAX)
        return share_states_wrap_do(call, e);
    call->group_id = xstrdup(call->key.group_id);
    call->key.group_id = call->group_id;
    share_states_wrap.held[share_states_wrap.held_count++] = *call;
    return KE_NONE;
}

/* share_states_wrap_release does what was held back. */
static inline void
share_states_wrap_release(void)
{
    size_t count = share_states_wrap.held_count;
    struct err e;

    share_states_wrap.held_count = 0;
    share_states_wrap.holding = false;
    for (size_t i = 0; i < count; i++) {
        struct share_states_wrap_call call = share_states_wrap.held[i];

        err_clear(&e);
        assert_int_equal(share_states_wrap_do(&call, &e), KE_NONE);
        free(call.group_id);
    }
}

bool
__wrap_share_states_ready(struct share_states *states)
{
    return !share_states_wrap.absent && __real_share_states_ready(states);
}

int16_t
__wrap_share_states_initialize(struct share_states *states, const struct share_key *key,
    int32_t state_epoch, int64_t start_offset, struct append_waiter *waiter, struct err *e)
{
    struct share_states_wrap_call call = {.states = states,
        .key = *key,
        .state_epoch = state_epoch,
        .start_offset = start_offset,
        .waiter = waiter};

    share_states_wrap.initialized++;
    return share_states_wrap_take(&call, e);
}

int16_t
__wrap_share_states_delete(struct share_states *states, const struct share_key *key,
    struct append_waiter *waiter, struct err *e)
{
    struct share_states_wrap_call call = {
        .states = states, .key = *key, .deletes = true, .waiter = waiter};

    share_states_wrap.deleted++;
    return share_states_wrap_take(&call, e);
}
/* NOLINTEND(bugprone-reserved-identifier) */

#endif

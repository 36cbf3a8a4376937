#include "refbroker/coord/group_answer.h"

#include <stdlib.h>

#include "lib/base/xalloc.h"
#include "lib/wire/kerr.h"

struct group_answer {
    struct groups *groups;
    struct request *request; /* NULL once it is gone */
    group_answer_fail_fn *fail;
    size_t waiting; /* parts, and one for the handler until it ends */
};

struct part {
    struct append_waiter waiter;
    struct group_answer *answer;
    int32_t number;
};

static void
dropped(struct broker *broker, struct request *request)
{
    (void)broker;
    ((struct group_answer *)request->park)->request = NULL;
}

void
group_answer_hold(struct group_answer *answer)
{
    answer->waiting++;
}

void
group_answer_release(struct group_answer *answer)
{
    if (--answer->waiting > 0)
        return;
    if (answer->request != NULL)
        broker_finish(answer->groups->broker, answer->request);
    free(answer);
}

void
group_answer_refuse(struct group_answer *answer, int32_t part, int16_t error)
{
    if (answer->request != NULL)
        answer->fail(answer->request, part, error);
}

struct request *
group_answer_request(const struct group_answer *answer)
{
    return answer->request;
}

/* What CoordinatorOperationExceptionHelper makes of a failed write. */
static int16_t
answered_code(int16_t error)
{
    switch (error) {
    case KE_KAFKA_STORAGE_ERROR:
    case KE_NOT_LEADER_OR_FOLLOWER:
        return KE_NOT_COORDINATOR;
    case KE_UNKNOWN_TOPIC_OR_PARTITION:
        return KE_COORDINATOR_NOT_AVAILABLE;
    case KE_MESSAGE_TOO_LARGE:
        return KE_UNKNOWN_SERVER_ERROR;
    default:
        return error;
    }
}

static void
part_done(struct broker *broker, struct append_waiter *waiter, int16_t error)
{
    struct part *part = (struct part *)(void *)waiter;
    struct group_answer *answer = part->answer;

    (void)broker;
    if (error != KE_NONE)
        group_answer_refuse(answer, part->number, answered_code(error));
    free(part);
    group_answer_release(answer);
}

struct group_answer *
group_answer_begin(struct groups *groups, struct request *request, group_answer_fail_fn *fail)
{
    struct group_answer *answer = xcalloc(1, sizeof *answer);

    answer->groups = groups;
    answer->request = request;
    answer->fail = fail;
    answer->waiting = 1;
    request->park = answer;
    request->on_drop = dropped;
    return answer;
}

void
group_answer_add(struct group_answer *answer, const char *group_id, int32_t part_number,
    struct group_records *records)
{
    struct part *part = xcalloc(1, sizeof *part);

    part->waiter.done = part_done;
    part->answer = answer;
    part->number = part_number;
    group_answer_hold(answer);
    group_records_append(records, answer->groups, group_id, &part->waiter);
}

enum h_result
group_answer_end(struct group_answer *answer)
{
    group_answer_release(answer);
    return H_PARK;
}

enum h_result
group_answer_one(struct groups *groups, struct request *request, const char *group_id,
    struct group_records *records, group_answer_fail_fn *fail)
{
    struct group_answer *answer = group_answer_begin(groups, request, fail);

    group_answer_add(answer, group_id, 0, records);
    return group_answer_end(answer);
}

/*
 * group_answer: an answer that waits until what it reports is durable in __consumer_offsets.
 *
 * A handler fills in the request's answer, begins, adds one part per group with the records that
 * the answer reports, and ends with `return group_answer_end(...)`. The answer goes out when the
 * log of every part is durable as far as it was written then, the part's own records included; so
 * nobody is told of a state that a crash could take back. A part that cannot become durable changes
 * the answer through `fail`, which gets the part's number and the code that Kafka answers.
 */
#ifndef REFBROKER_COORD_GROUP_ANSWER_H
#define REFBROKER_COORD_GROUP_ANSWER_H

#include "refbroker/coord/group_records.h"
#include "refbroker/coord/groups.h"
#include "refbroker/request.h"

struct group_answer;

typedef void group_answer_fail_fn(struct request *request, int32_t part, int16_t error);

struct group_answer *group_answer_begin(
    struct groups *groups, struct request *request, group_answer_fail_fn *fail);

/* group_answer_add waits for a group's log too; the records may be none. */
void group_answer_add(
    struct group_answer *answer, const char *group_id, int32_t part, struct group_records *records);

/* group_answer_hold has the answer wait for something else, too, until group_answer_release; parts
 * may be added meanwhile. group_answer_refuse changes the answer as a part does that failed, and
 * group_answer_request is the request, or NULL once it is gone. */
void group_answer_hold(struct group_answer *answer);
void group_answer_release(struct group_answer *answer);
void group_answer_refuse(struct group_answer *answer, int32_t part, int16_t error);
struct request *group_answer_request(const struct group_answer *answer);

/* group_answer_end returns H_PARK; the answer may be out already. */
enum h_result group_answer_end(struct group_answer *answer);

/* group_answer_one is the whole of it for one group; part 0. */
enum h_result group_answer_one(struct groups *groups, struct request *request, const char *group_id,
    struct group_records *records, group_answer_fail_fn *fail);

#endif

/*
 * fence: keeps everybody from writing to topics of a cluster, by access rules: Write is denied to
 * User:* on each topic, by its name. Brokers check each request, so it holds as soon as each of
 * them has learned of it, which is some time behind the answer; producers fail with
 * TOPIC_AUTHORIZATION_FAILED (29), which most take for final.
 *
 * Only a cluster with an authorizer has such rules, and its super users stand above them: whether
 * nobody writes any more shows in the logs' ends alone.
 *
 * A topic without any rule is open to everybody where allow.everyone.if.no.acl.found is set, which
 * clients cannot see, and a first rule ends that, for readers, too (StandardAuthorizer). Such a
 * topic may be opened along with the fence: everybody is allowed to read and describe it.
 *
 * Errors of all three: RC_UNSUPPORTED where the cluster has no authorizer, RC_DENIED where the
 * login may not look at rules or change them (Describe and Alter on the cluster).
 */
#ifndef MIRROR_FENCE_H
#define MIRROR_FENCE_H

#include "mirror/selection.h"

/* fence_look sets has_rules, by topic: whether any rule applies to it, those of the fence
 * included. */
MUST_CHECK enum rc fence_look(
    struct cluster *cluster, const struct selection *selection, bool *has_rules, struct err *e);

/* fence_set adds the rules; those that are there already stay. `opens` tells by topic whether it is
 * opened. */
MUST_CHECK enum rc fence_set(
    struct cluster *cluster, const struct selection *selection, const bool *opens, struct err *e);

/* fence_lift takes the same rules away; those that are gone already are no failure. */
MUST_CHECK enum rc fence_lift(
    struct cluster *cluster, const struct selection *selection, const bool *opens, struct err *e);

#endif

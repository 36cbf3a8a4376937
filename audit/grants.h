/*
 * grants: what the cluster's access rules permit, topic by topic.
 *
 * A rule that lets a principal use transactional ids, beside one that lets it write a topic, tells
 * who may write it in transactions, even where nobody has for a week; and who may write or read a
 * topic at all is whom to ask about it. A permit is no use: no fact stands on one.
 *
 * As Kafka's StandardAuthorizer decides (KIP-11, KIP-290): a rule is about a name, a prefix or all
 * (`*`); ALL means every operation; a rule that denies counts for more than one that allows, and
 * User:* is everybody. Rules for single hosts count as permits, and not as denials. Super users
 * have no rules and do not show.
 */
#ifndef AUDIT_GRANTS_H
#define AUDIT_GRANTS_H

#include "audit/inventory.h"
#include "gen/messages.h"

/* On all topics together; what comes behind is left out, and a gap of AUDIT_ACLS says so. */
#define GRANTS_MAX 1000000

/* grants_derive fills the inventory's principals and its topics' grants, which are empty before. */
void grants_derive(
    struct audit_inventory *inventory, const struct km_describe_acls_response *response);

#endif

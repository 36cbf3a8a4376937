/*
 * operations: what a client may do, as answers with authorized operations tell it (KIP-430): a bit
 * per AclOperation. Without an authorizer that is all that the kind of resource knows.
 */
#ifndef REFBROKER_API_OPERATIONS_H
#define REFBROKER_API_OPERATIONS_H

#define OPERATION_BIT(number) (INT32_C(1) << (number))

/* READ 3, WRITE 4, CREATE 5, DELETE 6, ALTER 7, DESCRIBE 8, CLUSTER_ACTION 9, DESCRIBE_CONFIGS 10,
 * ALTER_CONFIGS 11, IDEMPOTENT_WRITE 12 */
#define OPERATIONS_TOPIC                                                                           \
    (OPERATION_BIT(3) | OPERATION_BIT(4) | OPERATION_BIT(5) | OPERATION_BIT(6) |                   \
        OPERATION_BIT(7) | OPERATION_BIT(8) | OPERATION_BIT(10) | OPERATION_BIT(11))
#define OPERATIONS_CLUSTER                                                                         \
    (OPERATION_BIT(5) | OPERATION_BIT(7) | OPERATION_BIT(8) | OPERATION_BIT(9) |                   \
        OPERATION_BIT(10) | OPERATION_BIT(11) | OPERATION_BIT(12))

#endif

/* group_operations: what may be done with a group where everything may be: bits by the number of
 * the operation (AclOperation; GROUP has READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS,
 * ALTER_CONFIGS). */
#ifndef REFBROKER_API_GROUP_OPERATIONS_H
#define REFBROKER_API_GROUP_OPERATIONS_H

#define GROUP_OPERATIONS (1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11)

#endif

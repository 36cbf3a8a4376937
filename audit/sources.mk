# audit
audit_SRCS :=

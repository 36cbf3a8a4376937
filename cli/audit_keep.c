#include "cli/audit_keep.h"

#include "audit/audit.h"

enum rc
audit_keep_init(struct audit_keep *keep, const struct options *options, struct err *e)
{
    const char *key = options_text(options, "redact", NULL);
    enum rc rc;

    keep->path = options_text(options, "snapshot", NULL);
    keep->redacts = false;
    if (keep->path == NULL)
        return key == NULL ? RC_OK
                           : err_set(e, RC_CONFIG, "--redact is about what --snapshot writes.");
    rc = snapshot_check(keep->path, e);
    if (rc != RC_OK || key == NULL)
        return rc;
    keep->redacts = true;
    rc = redaction_init(&keep->redaction, key, e);
    return rc == RC_OK ? RC_OK : err_note(e, "--redact");
}

void
audit_keep_fini(struct audit_keep *keep)
{
    if (keep->redacts)
        redaction_fini(&keep->redaction);
}

enum rc
audit_keep_write(struct audit_keep *keep, const struct audit_inventory *inventory, struct err *e)
{
    if (keep->path == NULL)
        return RC_OK;
    return snapshot_write(inventory, keep->path, keep->redacts ? &keep->redaction : NULL, e);
}

enum rc
audit_keep_read(const char *path, struct audit_inventory *inventory, struct err *e)
{
    enum rc rc = snapshot_read(path, inventory, e);

    if (rc == RC_OK)
        return audit_judge(inventory, e);
    return e->code = RC_CONFIG;
}
